"""A file is ready when it has been quiet long enough, and only then; a folder may come and go."""

from hypothesis import given
from hypothesis import strategies as st

from instruments.files.watch import Happened, News, Seen, Watch

SMALL, LARGER = Seen(100, 1), Seen(200, 2)


def ready(watch: Watch, listing: dict[str, Seen], now_s: float) -> list[str]:
    return [name for name, _seen in watch.look(listing, now_s).ready]


def test_a_file_is_ready_when_it_has_been_quiet() -> None:
    watch = Watch(settle_s=10.0)
    assert ready(watch, {"PL7.txt": SMALL}, 0.0) == []
    assert ready(watch, {"PL7.txt": SMALL}, 9.9) == []
    assert ready(watch, {"PL7.txt": SMALL}, 10.0) == ["PL7.txt"]
    watch.taken("PL7.txt")
    assert ready(watch, {"PL7.txt": SMALL}, 99.0) == []


def test_a_file_that_grows_waits_anew_and_one_that_changes_is_ready_again() -> None:
    watch = Watch(settle_s=10.0)
    ready(watch, {"PL7.txt": SMALL}, 0.0)
    assert ready(watch, {"PL7.txt": LARGER}, 9.0) == []
    assert ready(watch, {"PL7.txt": LARGER}, 18.0) == []
    assert ready(watch, {"PL7.txt": LARGER}, 19.0) == ["PL7.txt"]
    watch.taken("PL7.txt")
    changed_back = {"PL7.txt": Seen(200, 3)}
    assert ready(watch, changed_back, 20.0) == []
    assert ready(watch, changed_back, 30.0) == ["PL7.txt"]


def test_an_empty_file_waits_and_says_so() -> None:
    watch = Watch(settle_s=1.0)
    for now_s in (0.0, 50.0):
        assert ready(watch, {"PL7.txt": Seen(0, 1)}, now_s) == []
    assert watch.waiting() == {"PL7.txt": "empty"}


def test_the_longest_quiet_comes_first() -> None:
    watch = Watch(settle_s=1.0)
    ready(watch, {"b.txt": SMALL}, 0.0)
    ready(watch, {"b.txt": SMALL, "a.txt": LARGER, "c.txt": SMALL}, 0.5)
    listing = {"a.txt": LARGER, "b.txt": SMALL, "c.txt": SMALL}
    assert ready(watch, listing, 5.0) == ["b.txt", "c.txt", "a.txt"]


def test_a_locked_file_is_tried_again_and_told_of_once() -> None:
    watch = Watch(settle_s=1.0, retry_s=5.0)
    ready(watch, {"PL7.txt": SMALL}, 0.0)
    assert ready(watch, {"PL7.txt": SMALL}, 1.0) == ["PL7.txt"]
    assert watch.waits("PL7.txt", "Permission denied", 1.0)
    assert ready(watch, {"PL7.txt": SMALL}, 5.9) == []
    assert ready(watch, {"PL7.txt": SMALL}, 6.0) == ["PL7.txt"]
    assert not watch.waits("PL7.txt", "Permission denied", 6.0)
    assert watch.waiting() == {"PL7.txt": "Permission denied"}


def test_a_folder_that_goes_is_told_of_once_and_its_files_settle_anew_when_it_is_back() -> None:
    watch = Watch(settle_s=10.0)
    watch.look({"PL7.txt": SMALL}, 0.0)
    assert watch.gone("Host is down", 5.0).news == (News(Happened.FOLDER_GONE, "Host is down"),)
    assert watch.gone("Host is down", 60.0).news == ()
    assert {watch.missing} == {"Host is down"}
    back = watch.look({"PL7.txt": SMALL}, 61.0)
    assert back.news == (News(Happened.FOLDER_BACK),)
    assert back.ready == ()
    assert watch.missing is None
    assert ready(watch, {"PL7.txt": SMALL}, 71.0) == ["PL7.txt"]


def test_a_file_that_goes_before_it_was_taken_is_told_of() -> None:
    watch = Watch(settle_s=10.0)
    watch.look({"PL7.txt": SMALL, "PL8.txt": SMALL}, 0.0)
    watch.look({"PL7.txt": SMALL, "PL8.txt": SMALL}, 10.0)
    watch.taken("PL7.txt")
    assert watch.look({}, 11.0).news == (News(Happened.LEFT, "PL8.txt"),)


LISTINGS = st.dictionaries(
    st.sampled_from(["a", "b"]), st.builds(Seen, st.integers(0, 3), st.integers(1, 2))
)


@given(looks=st.lists(st.tuples(st.floats(0.1, 20.0), LISTINGS | st.none()), max_size=30))
def test_nothing_is_ready_that_changed_within_the_settling_time(
    looks: list[tuple[float, dict[str, Seen] | None]],
) -> None:
    watch, now_s = Watch(settle_s=10.0), 0.0
    history: list[tuple[float, dict[str, Seen] | None]] = []
    for after_s, listing in looks:
        now_s += after_s
        history.append((now_s, listing))
        if listing is None:
            watch.gone("away", now_s)
            continue
        for name, seen in watch.look(listing, now_s).ready:
            assert seen.size_bytes > 0
            quiet_s = now_s
            for at_s, listed in reversed(history):
                if listed is None or listed.get(name) != seen:
                    break
                quiet_s = at_s
            assert now_s - quiet_s >= 10.0
