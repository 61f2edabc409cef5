"""HL7 messages a second, from their bytes to measurements: what one core reads of a cobas 6800."""

import time

from instruments.drivers import DRIVERS
from instruments.hl7.message import read
from loadtests.figures.figure import Figure

PYTHON_HL7_PER_S = 648.0  # its parse of such a message alone, on this class of machine
AIM_RATIO = 10.0
_TAIL = "|||F|||||FBN||C6800/8800^Roche^^~Unknown^Roche^^~ID_000000000012076380^IM300-001794^^|"
_INVENTORY = "\r".join(
    f"INV|{name}|OK|SC|||||||||20231231030000||||J16959"
    for name in ("SARS-COV-2", "Tip rack", "Processing plate", "Diluent", "Wash reagent")
)
MESSAGE = "\r".join(
    [
        "MSH|^~\\&|COBAS6800/8800||LIS||20230517161602||OUL^R22|M1|P|2.5||||||ASCII|||LAB-23^ROCHE",
        "SPM||TT7K40FQ9XB||CPM^cobas PCR Media^99ROC|||||||P||||||||||||||||",
        "SAC|||||||||||||||||||||400|||uL^^UCUM",
        "OBR|1|||SARS-COV-2^SARS-COV-2^99ROC|||||||A",
        f"OBX|1|ST|TGT1^TGT1^99ROC||ValueNotSet|||NEG{_TAIL}20230516171442",
        f"TCD|SARS-COV-2^SARS-COV-2^99ROC|^1^:^0\r{_INVENTORY}",
        f"OBX|2|ST|TGT2^TGT2^99ROC||ValueNotSet|||NEG{_TAIL}20230516171442",
        f"TCD|SARS-COV-2^SARS-COV-2^99ROC|^1^:^0\r{_INVENTORY}",
        f"OBX|3|NA|TGT1^TGT1^99ROC^S_OTHER^Other^IHELAW||^^37.15|||{_TAIL}20230516171442",
        f"OBX|4|ST|SARS-COV-2^SARS-COV-2^99ROC|1/1|ValueNotSet|||NA{_TAIL}20230516171442",
        f'OBX|5|ST|SARS-COV-2^SARS-COV-2^99ROC|1/2|NA|||""{_TAIL}20230516171442\r',
    ]
).encode("ascii")


def measure(*, seconds: float) -> Figure:
    """Processor time of one core; the socket and the disk are not in it."""
    driver = DRIVERS["cobas"]
    read_and_driven, began_s = 0, time.process_time()
    while (took_s := time.process_time() - began_s) < seconds:
        for _ in range(100):
            driver.measurements(read(MESSAGE))
        read_and_driven += 100
    rate = read_and_driven / took_s
    return Figure(
        name="HL7 messages read and driven, one core",
        measured=rate,
        unit="messages/s",
        limit=None,
        limit_name="",
        ratio=rate / PYTHON_HL7_PER_S,
        aim=f"≥ {AIM_RATIO:.0f} × python-hl7's parse",
        met=rate >= AIM_RATIO * PYTHON_HL7_PER_S,
        details={"message_bytes": float(len(MESSAGE)), "python_hl7_per_s": PYTHON_HL7_PER_S},
    )
