"""The texts of port maps: what they describe, and what is said of those that cannot be."""
import random
import unittest

import numpy as np

from waferlab import ArgumentError, port_map


def places(text):
    """The shape of the tensor, and for each element in its order the column and the row."""
    streams = port_map.Streams(text)
    found = np.zeros((int(np.prod(streams.shape)), 2), int)
    for column, row, elements in streams.places:
        found[elements] = column, row
    return streams.shape, found.tolist()


class PortMaps(unittest.TestCase):
    def same(self, text, plain):
        with self.subTest(text):
            self.assertEqual(places(text), places(plain))
            _, ours = port_map._PortMap(text).rect(), port_map._PortMap(text).flat
            np.testing.assert_array_equal(ours, port_map._PortMap(plain).flat)

    def test_forms_of_the_integer_set_library(self):
        plain = "{ x[i=0:3] -> [PE[i//2, 0] -> index[i%2]] }"
        for text in (
            "{ x[i] -> [PE[i//2,0] -> index[i mod 2]] : 0 <= i < 4 }",
            "{ x[i] -> [PE[i//2,0] -> index[i mod 2]] : i >= 0 and i <= 3 }",
            "{ x[i] -> [PE[i//2,0] -> index[i mod 2]] : 4 > i > -1 }",
            "{ x[i] -> [PE[i//2,0] -> index[i mod 2]] : 0 <= 2i <= 7 }",
            "{ x[i=-9:3] -> [PE[i//2,0] -> index[i mod 2]] : i >= 0 }",
            "{ x[i=0:3] -> [PE[floor(i/2), 0] -> index[i - 2*floor(i/2)]] }",
            "{ x[i=0:3] -> [PE[floord(i,2), +0] -> index[i - 2floord(i, 2)]] }",
            "{ x[i=0:3] -> [PE[ceil((i - 1)/2), 0] -> index[(i) % 2]] }",
            "{ x[i=0:3] -> [PE[ceild(i-1,2), 0] -> index[i % 2]] }",
            "{ x[i=0:3] -> [PE[min(max(i-1, 0), 1), 0] -> index[i % 2]] }",
            "[n] -> { x[i=0:3] -> [PE[i//2, 0] -> index[i%2]] }",
            "[n, m] -> { x[i=0:2*2-1]\n-> [ PE [ i // 2 , 0 ]\n-> index [ i%2 ] ] }",
            "{ x[i=0:1] -> [PE[0, 0] -> index[i]]; x[i=2:3] -> [PE[1, 0] -> index[i - 2]] }",
            "{ x[i=2:3] -> [PE[1, 0] -> index[i - 2]]; x[i=0:1] -> [PE[0, 0] -> index[i]] }",
            "{ x[i] -> [PE[i//2, 0] -> index[0]] : 0 <= i < 4 and i mod 2 = 0; x[i] -> [PE[i//2, 0] -> index[1]] : 0 <= i < 4 and i mod 2 != 0 }",
        ):
            self.same(text, plain)
        plain = "{ x[i=0:1, j=0:2] -> [PE[i, 0] -> index[2*j]] }"
        for text in (
            "{ x[i, j] -> [PE[i,0] -> index[2j]] : 0 <= i <= 1 and 0 <= j <= 2 }",
            "{ x[i][j] -> [PE[i,0] -> index[2(j)]] : 0 <= i < 2 and 0 <= j < 3 }",
            "{ x[i=0:1, j] -> [PE[i,0] -> index[2j]] : i <= 2 + j and j >= 0 and j <= 2 }",
        ):
            self.same(text, plain)

    def test_the_order_is_that_of_the_tensor(self):
        maps = (
            "{ x[i=0:3] -> [PE[3-i, 0] -> index[0]] }",
            "{ x[i=2:3] -> [PE[3-i, 0] -> index[0]]; x[i=0:1] -> [PE[3-i, 0] -> index[0]] }",
        )
        for text in maps:
            with self.subTest(text):
                self.assertEqual(places(text), ((4,), [[3, 0], [2, 0], [1, 0], [0, 0]]))

    def test_sums_products_and_quotients_are_those_of_python(self):
        rng = random.Random(7)

        def expression(depth):
            if depth == 0:
                return rng.choice(["i", "j", str(rng.randrange(9))])
            left, right = expression(depth - 1), expression(rng.randrange(depth))
            form = rng.choice(["{0}+{1}", "{0} - {1}", "{0}*{1}", "{0}//3", "{0} % 4", "({0})", "-{0}", "+{0}", "({0})//5", "2*({0} - {1})"])
            return form.format(left, right)

        for _ in range(300):
            text = expression(rng.randrange(5))
            with self.subTest(text):
                expected = [[eval(text, {"i": i, "j": j}), 0] for i in range(-3, 4) for j in range(5)]
                shown = text.replace("%", rng.choice(["%", "mod"]))
                self.assertEqual(places(f"{{ x[i=-3:3, j=0:4] -> [PE[{shown}, 0] -> index[i + 3, j]] }}"), ((7, 5), expected))

    def test_what_cannot_be_is_told_with_its_place(self):
        for text, told in (
            ("", "'{' is expected, and the map ends \\(column 1\\)"),
            ("x", "'{' is expected, not 'x' \\(column 1\\)"),
            ("{ x[] -> [PE[0, 0] -> index[0]] }", "a number or a dimension is expected, not ']' \\(column 5\\)"),
            ("{ x[i=0:3] -> [pe[0, 0] -> index[i]] }", "'PE' is expected, not 'pe' \\(column 16\\)"),
            ("{ x[i=0:3] -> [PE[0, 0] -> index[i]]", "'}' is expected, and the map ends \\(column 37\\)"),
            ("{ x[i=0:3] -> [PE[0, 0] -> index[i]] };", "the end of the map is expected, not ';'"),
            ("{ x[i=0:3]\n-> [PE[0, 0] -> index[i&1]] }", "'&' has no meaning here \\(line 2, column 24\\)"),
            ("{ x[i=0:3] -> [PE[i/2, 0] -> index[i]] }", "a quotient is no whole number; .* floor\\(i/2\\) \\(column 20\\)"),
            ("{ x[i=0:3] -> [PE[floor(i), 0] -> index[i]] }", "the / of a quotient"),
            ("{ x[i=0:3] -> [PE[abs(i), 0] -> index[i]] }", "there is no function abs; known are ceil"),
            ("{ x[i=0:3] -> [PE[i i, 0] -> index[i]] }", "'\\]' is expected, not 'i'"),
            ("{ x[i=0:3] -> [PE[i mod, 0] -> index[i]] }", "a number or a dimension is expected, not ','"),
            ("{ x[i=0:3] -> [PE[floord(i, 0), 0] -> index[i]] }", "'floord\\(i, 0\\)' divides by 0"),
            ("[n] -> { x[i=0:n] -> [PE[0, 0] -> index[i]] }", "the parameter n has no value; .* \\(column 16\\)"),
            ("[n] -> { x[n] -> [PE[0, 0] -> index[0]] }", "the parameter n has no value"),
            ("{ x[i=0:n] -> [PE[0, 0] -> index[i]] }", "there is no dimension n \\(column 9\\)"),
            ("{ x[i] -> [PE[0, 0] -> index[i]] }", "i has no bounds; write i=0:3, or a condition"),
            ("{ x[i] -> [PE[0, 0] -> index[i]] : i < 4 }", "i has no bounds"),
            ("{ x[i] -> [PE[0, 0] -> index[i]] : 0 <= i < 4 or i = 7 }", "`or` is not known here; .* \\(column 47\\)"),
            ("{ x[i] -> [PE[0, 0] -> index[i]] : i }", "a comparison, such as <=, is expected"),
            ("{ x[i=0:3] -> [PE[0, 0] -> index[i]] : 5 < 4 }", "the condition holds for no element"),
            ("{ x[i=3:0] -> [PE[0, 0] -> index[i]] }", "i ends before it begins"),
            ("{ x[i=0:3] -> [PE[0, 0] -> index[i]]; y[i=4:5] -> [PE[0, 0] -> index[i]] }", "a map is of one tensor"),
            ("{ x[i=0:3] -> [PE[0, 0] -> index[i]]; x[i=3:5] -> [PE[0, 0] -> index[i]] }", "x\\[3\\] has two places"),
            ("{ x[i=0:3] -> [PE[0, 0] -> index[i]]; x[i=5:6] -> [PE[0, 0] -> index[i]] }", "x\\[4\\] has no place"),
            ("{ x[i=2:3, j=i:3] -> [PE[0, 0] -> index[i, j]] }", "x\\[3\\]\\[2\\] has no place"),
            ("{ x[i=0:3] -> [PE[0, 0] -> index[" + "(" * 9999 + "i" + ")" * 9999 + "]] }", "nested too deeply"),
            ("{ x[i=0:3] -> [PE[0, 0] -> index[" + "+".join("i" * 9999) + "]] }", "nested too deeply"),
            ("{ x[i] -> [PE[0, 0] -> index[i]] : 0 <= i <= 9223372036854775807 }", "beyond 64 bits"),
        ):
            with self.subTest(text[:90]), self.assertRaisesRegex(ArgumentError, told):
                port_map.Streams(text)

    def test_a_tensor_has_as_many_elements_as_its_map(self):
        halves = "{ x[i=0:1] -> [PE[i, 0] -> index[0]]; x[i=2:3] -> [PE[i, 0] -> index[0]] }"
        odd = "{ x[i] -> [PE[i, 0] -> index[0]] : 0 <= i < 4 and 3i mod 1 = 0 }"
        for text in (halves, odd):
            with self.subTest(text):
                self.assertEqual(port_map.convert_input_tensor(text, np.arange(4, dtype=np.int32))[:5], (0, 0, 4, 1, 1))
                with self.assertRaisesRegex(ArgumentError, "describes 4 elements, the tensor has 5"):
                    port_map.convert_input_tensor(text, np.arange(5, dtype=np.int32))


if __name__ == "__main__":
    unittest.main()
