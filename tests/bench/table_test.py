"""What the table of the benches makes of samples."""
import contextlib
import io
import unittest

from bare import pieces
from bench import Sample
from table import Goal, Row, print_table, rows_of


class TableTest(unittest.TestCase):
    def test_a_time_is_as_near_to_its_limit_as_little_could_be_saved(self):
        row = Row("work", "wall s", [9, 10, 11], [20], limit=[8])
        self.assertEqual(row.ratio(), 0.5)
        self.assertEqual(row.share(), 0.8)

    def test_a_rate_is_as_near_to_its_limit_as_much_of_it_is_reached(self):
        self.assertEqual(Row("work", "Mbit/s", [300], limit=[400]).share(), 0.75)

    def test_a_goal_of_the_share_is_missed_below_it_and_without_a_limit(self):
        goal = Goal(share_least=0.75)
        self.assertIs(Row("work", "Mbit/s", [300], goal=goal, limit=[400]).met(), True)
        self.assertIs(Row("work", "Mbit/s", [299], goal=goal, limit=[400]).met(), False)
        self.assertIs(Row("work", "Mbit/s", [300], goal=goal).met(), False)

    def test_every_bound_of_a_goal_must_hold(self):
        goal = Goal(ratio_most=0.8, most=64)
        self.assertIs(Row("work", "wall s", [60], [80], goal).met(), True)
        self.assertIs(Row("work", "wall s", [65], [100], goal).met(), False)
        self.assertIs(Row("work", "wall s", [60], [70], goal).met(), False)
        self.assertIsNone(Row("work", "wall s", [60], [70]).met())

    def test_requests_of_a_peer_stand_beside_ours(self):
        rows = rows_of("work", [Sample(1, 1, 1, requests=6)], [Sample(2, 2, 2, requests=9)],
                       limit=[Sample(0.5, 0.5, 0.5, requests=6)])
        row = next(row for row in rows if row.measure == "requests")
        self.assertEqual((row.ours, row.peer, row.limit), ([6], [9], [6]))

    def test_a_peer_that_did_not_finish_has_no_requests_to_compare(self):
        rows = rows_of("work", [Sample(1, 1, 1, requests=6)], [Sample(2, 2, 2)])
        row = next(row for row in rows if row.measure == "requests")
        self.assertIsNone(row.ratio())

    def test_memory_has_no_limit(self):
        rows = rows_of("work", [Sample(1, 1, 64)], [], limit=[Sample(1, 1, 2)])
        self.assertEqual(next(row for row in rows if row.measure == "peak memory MiB").limit, [])

    def test_all_lines_have_as_many_columns_as_the_head(self):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            print_table([Row("work", "wall s", [1], [2], Goal(ratio_most=0.8), [0.5]), Row("work", "x", [])])
        lines = said.getvalue().splitlines()
        self.assertEqual({line.count("|") for line in lines}, {10})
        self.assertIn("| 0.50  | 0.50           | ratio <= 0.8 | yes |", lines[2])


class PiecesTest(unittest.TestCase):
    def test_an_object_is_cut_into_pieces_that_cover_it(self):
        self.assertEqual(pieces([("a b", 10)], 4), "0 4 a b\n4 4 a b\n8 2 a b\n")

    def test_a_small_object_is_one_piece(self):
        self.assertEqual(pieces([("a", 4), ("b", 1)], 4), "0 4 a\n0 1 b\n")


if __name__ == "__main__":
    unittest.main()
