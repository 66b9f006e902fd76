"""Reflected CRCs that zlib does not have, fast enough for bodies of some MiB.

A message is a polynomial over GF(2), and P(x)^(2^j) = P(x^(2^j)) divides it with as few terms as P
itself. So a long message is reduced by whole blocks of 2^j bits, each a Python integer, and only
the last few hundred bytes go through a table.
"""
import zlib

_TABLE_BYTES = 2048  # what is no longer than this is done by the table alone


class Crc:
    """A CRC with reflected bits, all ones before the message and inverted behind it.

    polynomial is written as in the catalogues, highest power first and without the leading one.
    """

    def __init__(self, width, polynomial):
        self._bits = width
        self._ones = (1 << width) - 1
        reflected = int(f"{polynomial:0{width}b}"[::-1], 2)
        # How far each term of P lies behind the leading one.
        self._places = [width - power for power in range(width) if polynomial >> power & 1]
        self._table = []
        for byte in range(256):
            for _ in range(8):
                byte = byte >> 1 ^ (reflected if byte & 1 else 0)
            self._table.append(byte)

    def of(self, message):
        if len(message) <= _TABLE_BYTES:
            return self._through_table(message, self._ones) ^ self._ones
        first = self._bits // 8
        begin = int.from_bytes(message[:first], "little") ^ self._ones
        message = begin.to_bytes(first, "little") + message[first:]
        return self._through_table(self._shortened(message), 0) ^ self._ones

    def _through_table(self, message, crc):
        table = self._table
        for byte in message:
            crc = table[(crc ^ byte) & 0xff] ^ crc >> 8
        return crc

    def _shortened(self, message):
        """A message of the same remainder that is no longer than the table likes."""
        width = self._bits
        block = 1
        while 2 * width * block < len(message):
            block *= 2
        padded = bytes(2 * width * block - len(message)) + message  # zeros in front change nothing
        blocks = [int.from_bytes(padded[at:at + block], "little")
                  for at in range(0, len(padded), block)]
        while True:
            for i in range(width):
                if blocks[i]:
                    for place in self._places:
                        blocks[i + place] ^= blocks[i]
            blocks = blocks[width:]
            if width * block <= _TABLE_BYTES:
                return b"".join(one.to_bytes(block, "little") for one in blocks)
            block //= 2
            mask = (1 << 8 * block) - 1
            blocks = [half for one in blocks for half in (one & mask, one >> 8 * block)]


crc32 = zlib.crc32
crc32c = Crc(32, 0x1EDC6F41).of
crc64ecma = Crc(64, 0x42F0E1EBA9EA3693).of
crc64nvme = Crc(64, 0xAD93D23594C93659).of
