"""What is told to somebody watching, chapter by chapter, in Vietnamese and English."""

from collections.abc import Mapping
from typing import Final

from lims.demo.escalation import Escalation
from lims.demo.opened_pools import OpenedPool
from lims.demo.telling import Phase
from lims.domain.escalation import Step
from lims.domain.pooling.choice import StrategyName

NARRATION: Final[Mapping[Phase, tuple[str, str]]] = {
    Phase.OPEN: (
        "Mở phòng xét nghiệm: cơ sở dữ liệu, web, bộ phận báo tin, một cổng nối cho ba máy mô"
        " phỏng: GeneXpert và máy 96 giếng trên đường nối tiếp, QuantStudio xuất tệp vào thư mục.",
        "The laboratory opens: database, web, deliverer, one gateway for three simulated machines:"
        " a GeneXpert and a 96-well machine on serial lines, a QuantStudio that exports files.",
    ),
    Phase.COLLECT: (
        "Cả xã đi lấy mẫu. Mỗi người hai lần quét: thẻ, rồi ống. Có hộ gộp chung một ống,"
        " có hộ làm xét nghiệm nhanh.",
        "The commune is swabbed. Two scans a person: card, then tube. Some households share one"
        " tube, some take rapid tests.",
    ),
    Phase.RECEIVE: (
        "Ống về đến phòng xét nghiệm: quét nhận từng giá.",
        "The tubes reach the laboratory and are scanned in, rack by rack.",
    ),
    Phase.CONFIRM: (
        "Xét nghiệm nhanh dương tính là F0 tạm thời, đã báo ngay. Mẫu PCR của họ chạy máy riêng,"
        " không chờ đĩa.",
        "A positive rapid test is a presumptive F0, told at once. Its PCR runs on a cartridge and"
        " waits for no plate.",
    ),
    Phase.POOL: (
        "Gộp mười đến hai mươi ống thành một mẻ, theo cỡ của từng chiến dịch và kết quả thẩm định:"
        " một phản ứng trả lời cho cả nhóm.",
        "Ten to twenty tubes go into one pool, as each campaign asks and the validation panel"
        " allows: one reaction answers for them all.",
    ),
    Phase.RUN: (
        "Khay 96 giếng chạy máy. Mẻ gộp âm tính: xong cả nhóm. Dương tính: việc cần làm để tìm ra"
        " F0 tự vào hàng đợi.",
        "A 96-well plate runs. A negative pool clears all its people; a positive one queues what is"
        " needed to find its F0, by itself.",
    ),
    Phase.RESOLVE: (
        "Mỗi khu mở mẻ gộp dương tính một cách: từng ống, theo nhóm, lưới hàng × cột, theo"
        " xác suất. Kỹ thuật viên hút các mẻ gộp con; F0 được gọi tên trước khi khẳng định.",
        "Each quarter resolves its positive pools in its own way: every tube, groups, rows and"
        " columns, or probability. Sub-pools are pipetted; an F0 is named before it is confirmed.",
    ),
    Phase.RESWAB: (
        "Ống gộp của hộ dương tính không còn ống riêng để chạy lại: gọi từng người lấy mẫu lại.",
        "A household's shared tube cannot say who: its people are swabbed again, one by one.",
    ),
    Phase.REVIEW: (
        "Máy đã báo F0 tạm thời; lời cuối là của người duyệt: khẳng định, và mọi tổ đã được báo"
        " được báo lại.",
        "The machine told of presumptive F0s; the last word is the reviewer's: confirmed, and"
        " every team that was told hears it.",
    ),
    Phase.RECALL: (
        "Lô hoá chất của một khay bị nghi hỏng: thu hồi cả khay. F0 mất căn cứ được rút, mọi tổ đã"
        " được báo nhận đính chính, ống chạy lại.",
        "The reagents of one plate are in doubt: its run is recalled. F0s without other grounds are"
        " withdrawn, every team that was told hears a correction, the tubes run again.",
    ),
    Phase.TELL: (
        "Mỗi F0 đến tay tổ truy vết của nơi ở và nơi làm việc: có chữ ký, có biên nhận,"
        " có người nhận việc. Một phút chưa ai nhận: báo người trực, rồi lên tỉnh, rồi gọi điện.",
        "Every F0 reaches the tracing teams of home and workplace: signed, receipted, claimed. What"
        " nobody has claimed after a minute goes to who is on call, the province, the telephone.",
    ),
}

OVER: Final = (
    "Hết một ngày. Các trang vẫn mở: vài ca còn chờ người duyệt và tổ truy vết - mời đăng nhập."
    " Xếp một khay ở trang Chạy máy: máy chạy khay đó sau chừng một phút. Ctrl-C để dừng.",
    "The day is over. The pages stay open, and some cases wait for a reviewer and a tracer: sign"
    " in as one. A plate that you lay out is measured about a minute later. Ctrl-C ends it.",
)

TITLES: Final[Mapping[Phase, str]] = {
    Phase.OPEN: "Mở cửa · open",
    Phase.COLLECT: "Lấy mẫu · collect",
    Phase.RECEIVE: "Nhận ống · receive",
    Phase.CONFIRM: "Khẳng định · confirm",
    Phase.POOL: "Gộp mẫu · pool",
    Phase.RUN: "Chạy máy · run",
    Phase.RESOLVE: "Mở mẻ gộp · resolve",
    Phase.RESWAB: "Lấy mẫu lại · re-swab",
    Phase.REVIEW: "Duyệt · review",
    Phase.RECALL: "Thu hồi · recall",
    Phase.TELL: "Bàn giao · hand-off",
}

STRATEGIES: Final[Mapping[StrategyName, str]] = {
    StrategyName.DORFMAN: "từng ống · every tube",
    StrategyName.HIERARCHICAL: "theo nhóm · groups",
    StrategyName.GRID: "lưới hàng × cột · grid",
    StrategyName.BAYESIAN: "theo xác suất · Bayesian",
}


def escalated_words(late: Escalation) -> str:
    """Who was told on of what nobody claimed, and how many teams are to be rung."""
    if not late.steps:
        return "báo lên sau 1, 2, 3 phút · told on after 1, 2, 3 minutes"
    steps = ", ".join(f"{STEPS[step]} {many}" for step, many in late.steps.items())
    return f"đã báo lên · told on: {steps}; /handoff/calls: {late.to_ring}"


def recalled_words(plate: str, *, results: int, cases: int, corrections: int) -> str:
    """One line for a recall: what it took back, and from how many it must be taken back."""
    return (
        f"{plate}: thu hồi {results} kết quả, rút {cases} ca, báo {corrections} đính chính ·"
        f" {_counted(results, 'result')} taken back, {_counted(cases, 'case')} withdrawn,"
        f" {_counted(corrections, 'correction')} owed"
    )


STEPS: Final[Mapping[Step, str]] = {
    Step.ROSTER: "người trực · on call",
    Step.WARD: "tổ khác của xã · ward",
    Step.PROVINCE: "tỉnh · province",
    Step.NATION: "cả nước · nation",
    Step.VOICE: "gọi điện · telephone",
}


def _counted(many: int, of: str) -> str:
    return f"{many} {of}" if many == 1 else f"{many} {of}s"


def opened_words(pool: OpenedPool) -> str:
    """One line for one positive pool: which way, how many tests, how soon to a name."""
    way = STRATEGIES[pool.strategy]
    line = f"{pool.barcode}  {way:26} {pool.tubes:2} ống · tubes {pool.tests:4} xét nghiệm · tests"
    if pool.named_s is None:
        return f"{line}  không có F0 · nobody found"
    runs = f"{pool.runs} lượt chạy · runs, {pool.named_s:.0f} s"
    return f"{line}  {pool.f0s} F0, có tên sau · named after {runs}"


MACHINES: Final[Mapping[str, str]] = {
    "plate": "máy 96 giếng, nối tiếp · 96 wells, on a serial line",
    "quantstudio": "QuantStudio, xuất tệp · a file into",
    "genexpert": "GeneXpert, nối tiếp · cartridges, on a serial line",
}

LOGINS: Final[Mapping[str, str]] = {
    "technician": "kỹ thuật viên · at the bench",
    "reviewer": "duyệt kết quả · has the last word on a positive",
    "tracer": "tổ truy vết của xã · the commune's tracing team: /handoff",
    "operator": "điều hành · sees the whole day",
    "admin": "quản trị · people, teams, keys",
}
