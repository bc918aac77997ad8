#!/usr/bin/env python3
"""make-gpt.py FILE BLOCK_BYTES ESP_OFFSET ESP_BYTES: a GPT for a disk whose blocks are not 512 bytes
(sgdisk takes a file for a disk of 512-byte blocks). One partition, an EFI system partition."""
import struct
import sys
import uuid
import zlib

ESP_TYPE = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b").bytes_le
ENTRY_COUNT, ENTRY_BYTES = 128, 128


def header(disk_id, own_lba, other_lba, entries_lba, first, last, entries):
    def pack(crc):
        return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, crc, 0, own_lba, other_lba,
                           first, last, disk_id, entries_lba, ENTRY_COUNT, ENTRY_BYTES,
                           zlib.crc32(entries))
    return pack(zlib.crc32(pack(0)))


def main():
    path, block, esp_offset, esp_bytes = sys.argv[1], *map(int, sys.argv[2:5])
    with open(path, "r+b") as disk:
        blocks = disk.seek(0, 2) // block
        table_blocks = ENTRY_COUNT * ENTRY_BYTES // block
        first, last = 2 + table_blocks, blocks - table_blocks - 2
        name = "EFI System".encode("utf-16-le").ljust(72, b"\0")
        entry = ESP_TYPE + uuid.uuid4().bytes_le + struct.pack(
            "<QQQ", esp_offset // block, (esp_offset + esp_bytes) // block - 1, 0) + name
        entries = entry.ljust(ENTRY_COUNT * ENTRY_BYTES, b"\0")
        disk_id = uuid.uuid4().bytes_le
        mbr_entry = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xee, b"\xff\xff\xff", 1, blocks - 1)

        def put(lba, data):
            disk.seek(lba * block)
            disk.write(data)
        put(0, (bytes(446) + mbr_entry).ljust(510, b"\0") + b"\x55\xaa")
        put(1, header(disk_id, 1, blocks - 1, 2, first, last, entries))
        put(2, entries)
        put(blocks - 1 - table_blocks, entries)
        put(blocks - 1, header(disk_id, blocks - 1, 1, blocks - 1 - table_blocks, first, last, entries))


main()
