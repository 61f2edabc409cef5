"""Long statements, short enough to be remembered."""

from sqlalchemy import TextClause, text


def terse(sql: str) -> TextClause:
    """The statement without the white space that makes it readable here: psycopg takes one of more
    than 4,096 characters apart anew at each use. No literal in it may hold two spaces.

    Raises ValueError for a comment, which would swallow all that follows.
    """
    if "--" in sql:
        raise ValueError("a comment stands in the statement: put it above, in Python")
    return text(" ".join(sql.split()))
