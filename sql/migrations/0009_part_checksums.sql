-- breaking: no
--
-- The checksum of a part that was sent to a store which keeps some: "crc64nvme:rosUhgp5mIg=". No MD5
-- was made of such a part then, and md5 is 16 zero bytes, as of a part that the store copied: for what
-- it is, its ETag stands. An older worker takes it for such a part: it holds the ETags to that of the
-- source, and sends the part again where they do not prove it. No constraint ties the checksum to the
-- ETag: that worker clears the one and not the other.
alter table bucketferry.part add column checksum text;
