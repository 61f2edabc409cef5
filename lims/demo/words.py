"""What is told to somebody watching, chapter by chapter, in Vietnamese and English."""

from collections.abc import Mapping
from typing import Final

from lims.demo.telling import Phase

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
        "Gộp mười ống thành một mẫu: một phản ứng trả lời cho mười người.",
        "Ten tubes go into one pool: one reaction answers for ten people.",
    ),
    Phase.RUN: (
        "Khay 96 giếng chạy máy. Mẫu gộp âm tính: xong mười người. Dương tính: từng ống tự vào"
        " hàng đợi chạy lại.",
        "A 96-well plate runs. A negative pool clears ten people; a positive one queues each of"
        " its tubes again, by itself.",
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
    Phase.TELL: (
        "Mỗi F0 đến tay tổ truy vết của nơi ở và nơi làm việc: có chữ ký, có biên nhận,"
        " có người nhận việc.",
        "Every F0 reaches the tracing teams of home and workplace: signed, receipted, claimed.",
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
    Phase.RESWAB: "Lấy mẫu lại · re-swab",
    Phase.REVIEW: "Duyệt · review",
    Phase.TELL: "Bàn giao · hand-off",
}

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
