"""HL7 messages to hear: the captured ones, and the shape of each machine's own with what a test
wants in it. Shapes and codes are as captured (tests/data/hl7/SOURCES.md); people and sites are
nobody's."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from instruments.hl7.mllp import Receiver
from instruments.line import Keep, Reply

WIRE = Path(__file__).parent.parent / "data" / "hl7"
NOW = datetime(2021, 7, 13, 9, 0, tzinfo=UTC)
CAPTURES = sorted(WIRE.glob("cobas*.hl7"))
_COBAS_DEVICE = "C6800/8800^Roche^^~Unknown^Roche^^~ID_000000000012076380^IM300-001794^^"
_ALINITY_DEVICE = "Alinity m^Abbott~M00001^Abbott~1^Abbott~11^Abbott"


def block(message: bytes) -> bytes:
    return b"\x0b" + message + b"\x1c\r"


def captured(name: str) -> bytes:
    """The message of a capture, without what MLLP put around it."""
    return (WIRE / name).read_bytes().strip(b"\x0b\x1c\r")


def lines(*segments: str) -> bytes:
    return "".join(f"{segment}\r" for segment in segments).encode("utf-8")


def heard(receiver: Receiver, data: bytes, *, on_disk: bool = True) -> Iterator[Keep | Reply]:
    for action in receiver.feed(data, 0.0):
        yield action
        if isinstance(action, Keep):
            receiver.kept(on_disk)


def cobas6800(
    *targets: tuple[str, str, str],
    specimen: str = "TT7K40FQ9XB",
    status: str = "F",
    role: str = "P",
    overall: str = "NA",
    control_id: str = "M1",
) -> bytes:
    """`targets`: the code, the call (OBX-8), and the Ct as it stands in the NA observation, or "".
    They come as captured: the target, its NA observation, and at last 1/1 and 1/2 of the assay."""
    tail = f"|||{status}|||||FBN||{_COBAS_DEVICE}|20230516171442|||||||||4170_neg^^99ROC"
    observations = []
    for code, call, ct in targets:
        observations.append(f"ST|{code}^{code}^99ROC||ValueNotSet|||{call}{tail}")
        if ct:
            named = f"{code}^{code}^99ROC^S_OTHER^Other Supplemental^IHELAW"
            observations.append(f"NA|{named}||{ct}|||{tail}")
    observations.append(f"ST|SARS-COV-2^SARS-COV-2^99ROC|1/1|ValueNotSet|||NA{tail}")
    observations.append(f'ST|SARS-COV-2^SARS-COV-2^99ROC|1/2|{overall}|||""{tail}')
    return lines(
        f"MSH|^~\\&|COBAS6800/8800||LIS||20230517161602||OUL^R22|{control_id}|P|2.5||||||ASCII",
        f"SPM||{specimen}||CPM^cobas PCR Media^99ROC|||||||{role}||||||||||||||||",
        "SAC|||||||||||||||||||||400|||uL^^UCUM",
        "OBR|1|||SARS-COV-2^SARS-COV-2^99ROC|||||||A",
        *(f"OBX|{n}|{each}" for n, each in enumerate(observations, start=1)),
        "TCD|SARS-COV-2^SARS-COV-2^99ROC|^1^:^0",
    )


def cobas5800(
    obx: str, specimen: str = "TT7K40FQ9XB&ROCHE", container: str = "TT7K40FQ9XB"
) -> bytes:
    return lines(
        "MSH|^~\\&|X800 DM||HOST||20260404131145+0100||OUL^R22^OUL_R22|M5|P|2.5.1|||NE|AL||"
        "UNICODE UTF-8|||LAB-29^IHE",
        f"SPM|1|{specimen}||PLAS^plasma^HL70487|||||||P^^HL70369",
        f"SAC|||{container}|||||||S08|4",
        "OBR||||SARS-COV-2^SARS-COV-2^99ROC",
        "ORC|SC||||CM",
        obx,
    )


def alinity(
    result: str,
    interpretation: str,
    cycle: str,
    *,
    specimen: str = "TT7K40FQ9XB",
    control: str = "15.70",
    status: str = "F",
    control_id: str = "A1",
) -> bytes:
    def obx(number: int, kind: str, code: str, sub: str, value: str) -> str:
        more = "^S_OTHER^Other Supplemental^IHELAW" if code[-2:] in (".R", ".C", ".M") else ""
        return (
            f"OBX|{number}|{kind}|{code}^SARS-CoV-2^99ABT{more}|{sub}|{value}|||"
            f'""|||{status}|||||Pat~operator||{_ALINITY_DEVICE}|20260112142906||||||||||RSLT'
        )

    return lines(
        f"MSH|^~\\&|||||20260112150335+0100||OUL^R22^OUL_R22|{control_id}|P|2.5.1|||NE|AL||"
        "UNICODE UTF-8|||LAB-29^IHE",
        "SPM|1|||NPS^Swab^HL70487|||||||P^Patient^HL70369",
        f"SAC|||{specimen}|||||||A000001|7||||2^Position^99ABT",
        'OBR||""||1010^SARS-CoV-2^99ABT',
        "ORC|SC||||CM",
        "TQ1|||||||||R^Routine^HL70485",
        obx(1, "ST", "1010", "", result),
        "INV|1010^^99ABT|NA^Not applicable^HL70383|CA^Calibration^99ABT||||||||||20251202144858",
        "NTE|1|Z|Routine3" + " " * 150,
        obx(2, "ST", "1010.I", "", interpretation),
        obx(3, "NM", "1010.R", "SARS-CoV-2", cycle),
        obx(4, "EI", "1010.G", "", "11263ee8-274f-48b7-a5e8-000000000001"),
        obx(5, "NM", "1010.M", "IC", "0.361"),
        obx(6, "NM", "1010.C", "IC", control),
    )


def fline(*observations: str, specimen: str = "TT7K40FQ9XB") -> bytes:
    """`observations`: OBX-2 to OBX-11."""
    order = "7054138a-64e2-470a-82a2-0286f837fcf0^FA24E01AA0001^70b3d57372500457^GUID"
    return lines(
        "MSH|^~\\&|FA24E01AA0001^70b3d57372500457^EUI-64| |||20210713114140+0700||ORU^R01^ORU_R01|"
        "{b73a7615-2687-47bf-862e-b4465cde8332}|P|2.6|||AL|NE||UNICODE UTF-8|EN^English^ISO639||"
        "IHE_PCD_ORU_R01^IHE PCD^1.3.6.1.4.1.19376.1.6.4.1^ISO",
        f"PID|||{specimen}||^^^^^^U",
        f"OBR|1|{order}|{order}|94558-4^SARS-CoV-2 Ag^LN|||20210713114138+0700|20210713114138+0700",
        "NTE|1||Device Information,Date of manufacture=20210215,LotNo=014,SerialNo=00000,"
        "Kind=FLine1",
        *(
            f"OBX|{n}|{each}|||20210713114138+0700||admin|||20210713114138+0700"
            for n, each in enumerate(observations, start=1)
        ),
    )


def queried(specimen: str, *, tag: str = "Q-1-1", control_id: str = "Q1") -> bytes:
    return lines(
        'MSH|^~\\&|cobas 4800 software 2.2.0.1509|""|LIS|LIS Facility|20250415151356+0200||'
        f"QBP^Q11^QBP_Q11|{control_id}|P|2.5.1|||ER|AL||UNICODE UTF-8|||LAB-27^IHE",
        f"QPD|WOS^Work Order Step^IHELAW|{tag}|{specimen}",
        "RCP|I||R",
    )


def every_split(data: bytes) -> Iterator[Sequence[bytes]]:
    """In two at every place, and byte by byte."""
    for at in range(len(data) + 1):
        yield data[:at], data[at:]
    yield [data[at : at + 1] for at in range(len(data))]
