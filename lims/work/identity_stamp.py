"""What makes an answer about somebody out of date: their card number, name or birth is another.

An SQL expression over the row ``p`` of a person, so that whether an answer counts is asked where
the person is read, and not kept in a second place that could be wrong.
"""

from typing import Final

STAMP: Final = (
    "encode(sha256(convert_to(concat_ws('|', coalesce(p.national_id, ''), p.name,"
    " coalesce(to_char(p.birth_date, 'YYYY-MM-DD'), p.birth_year::text, '')), 'UTF8')), 'hex')"
)

# Whom a register can be asked about at all.
ASKABLE: Final = "(p.national_id IS NOT NULL AND p.merged_into_id IS NULL)"

# Whether the newest answer about the person `p` as they are now confirms their number. An older one
# stands while it is asked again.
VERIFIED: Final = f"""(SELECT q.verdict = 'verified' FROM person_question q
     WHERE q.person_id = p.id AND q.kind = 'identity' AND q.state = 'answered'
       AND q.stamp = {STAMP} ORDER BY q.ended_at DESC, q.id DESC LIMIT 1)"""  # noqa: S608 - of constants

# Somebody who is being triaged: an open F0, or a member of a positive pool who is not cleared.
TRIAGED: Final = """(EXISTS (SELECT FROM f0_case c WHERE c.person_id = p.id
             AND c.state IN ('presumptive', 'confirmed'))
     OR EXISTS (SELECT FROM specimen s JOIN alert_member a ON a.specimen_id = s.id
                AND a.state = 'provisional' WHERE s.person_id = p.id))"""
