# Sourced by lib.sh: disks with a GPT, an EFI system partition and a loader.
# shellcheck shell=bash

# make_bytes FILE COUNT [SEED]: the same unremarkable bytes each time.
make_bytes() {
    python3 -c 'import random, sys
sys.stdout.buffer.write(random.Random(int(sys.argv[2])).randbytes(int(sys.argv[1])))' \
        "$2" "${3:-1}" >"$1"
}

# make_loader FILE: looks like an x86-64 EFI program to one that reads headers; about 300 KB.
make_loader() {
    python3 - "$1" <<'PYTHON'
import random, struct, sys
pe = struct.pack('<4sHHIIIHH', b'PE\0\0', 0x8664, 1, 0, 0, 0, 240, 0x22e) + struct.pack('<H', 0x20b)
head = b'MZ' + bytes(58) + struct.pack('<I', 64) + pe + bytes(238)
open(sys.argv[1], 'wb').write(head + random.Random(4173).randbytes(300000))
PYTHON
}

# make_gpt_disk FILE [BLOCK_BYTES]: a sparse disk, a GPT with an EFI system partition ($esp_bytes at
# $esp_offset), in it \EFI\BOOT\BOOTX64.EFI, which also lies at $scratch/loader.efi.
esp_offset=$((1 << 20))
make_gpt_disk() {
    local file=$1 block=${2:-512}
    need sgdisk mformat mcopy python3
    [ -e "$scratch/loader.efi" ] || make_loader "$scratch/loader.efi"
    esp_bytes=$((block * 66000 + (1 << 20))) # FAT32 begins at 65525 clusters
    esp_bytes=$((esp_bytes - esp_bytes % (1 << 20)))
    rm -f "$file"
    truncate -s $((esp_bytes + (4 << 20))) "$file"
    if [ "$block" = 512 ]; then
        sgdisk -n "1:1M:+$((esp_bytes >> 20))M" -t 1:ef00 -c "1:EFI System" "$file" >"$scratch/sgdisk.log"
    else
        python3 "$interop/make-gpt.py" "$file" "$block" "$esp_offset" "$esp_bytes"
    fi
    make_esp "$file@@$esp_offset" "$esp_bytes" "$block"
}

make_esp() {
    local image=$1 shift=2 size=512
    while [ "$size" -lt "$3" ]; do
        size=$((size * 2))
        shift=$((shift + 1))
    done
    # -T counts sectors of the size that -S gives; FAT32 with one cluster a sector where that fits.
    MTOOLS_SKIP_CHECK=1 mformat -i "$image" -F -c 1 -S "$shift" -T $(($2 / $3)) -v LUNBOOT ::
    MTOOLS_SKIP_CHECK=1 mmd -i "$image" ::/EFI ::/EFI/BOOT
    MTOOLS_SKIP_CHECK=1 mcopy -i "$image" "$scratch/loader.efi" ::/EFI/BOOT/BOOTX64.EFI
}

# take_loader ESP_IMAGE FILE: the loader out of an image of the partition.
take_loader() {
    MTOOLS_SKIP_CHECK=1 mcopy -n -i "$1" ::/EFI/BOOT/BOOTX64.EFI "$2"
}

sha256() { sha256sum "$1" | cut -d' ' -f1; }

# same FILE FILE WHAT: fails unless the two files are equal.
same() {
    [ "$(sha256 "$1")" = "$(sha256 "$2")" ] || fail "$3: the bytes differ ($1, $2)"
}
