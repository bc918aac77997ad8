#!/bin/bash
# PXE, and the TFTP server does not say whether there is a lunboot.conf: nothing boots, for it may forbid this boot.
# Only "file not found" means that there is none.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
begin python3
serve_loader_ok
mkdir -p "$scratch/tftp"
cp "$efi" "$scratch/tftp/lunbootx64.efi"
python3 -c 'print(("#" * 63 + "\n") * 256 + "enable = no")' >"$scratch/tftp/long"
offer_disk <<EOF
dhcp-boot=lunbootx64.efi,,$server_ip
EOF

# answers HOW PATTERN SECONDS WHAT: a boot by PXE; of the configuration the server says HOW.
answers() {
    spawn tftpd ip netns exec "$server_ns" python3 "$top/tests/vm/odd-tftp.py" "$server_ip" "$scratch/tftp" "$1"
    wait_log tftpd 'ready'
    start_vm "${first_card[@]}"
    wait_console 'started from PXE' 90
    wait_console "$2|METER LOADER-OK" "$3"
    console_has "$2" "$4"
    end qemu KILL
    end tftpd KILL
}

answers error-1 'METER LOADER-OK' 60 "file not found: there is no configuration, and it boots"
answers silent 'lunboot\.conf by TFTP: nobody answered in time' 120 "silence: nothing boots"
answers error-2 'lunboot\.conf by TFTP: the TFTP server answered with an error' 60 "another error: nothing boots"
answers long 'lunboot\.conf by TFTP: it is longer than 16384 bytes' 60 "a file that is too long: nothing boots"
pass
