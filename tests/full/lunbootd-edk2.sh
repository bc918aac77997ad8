#!/bin/bash
# EDK2's own iSCSI initiator, switched on in the firmware's setup screens, boots from lunbootd: it takes address and
# disk from its DHCP, and a kernel comes up, which finds the session in EDK2's iBFT.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/../interop/lunbootd.sh"
. "$(dirname "$0")/../vm/kernel.sh"
. "$(dirname "$0")/../vm/firmware.sh"
begin
need_lunbootd
/usr/bin/python3 -c 'import pyte' 2>/dev/null || skip "python3-pyte is not installed"

ibft_init "$scratch/init"
make_debian_disk "$scratch/disk.img" "$scratch/init" iscsi_ibft
cp "$ovmf_vars" "$scratch/vars.fd"
/usr/bin/python3 - "$top/bench" "$scratch" "$ovmf_code" "$card_mac" <<'PYTHON' || fail "the setup screens"
import sys
bench, scratch, code, mac = sys.argv[1:]
sys.path.insert(0, bench)
import edk2_setup
variables = scratch + "/vars.fd"
machine = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-M", "q35", "-m", "512", "-display", "none",
           "-nodefaults", "-uuid", "564d4173-0000-4173-8000-525400123456",
           "-drive", "if=pflash,format=raw,readonly=on,file=" + code,
           "-drive", "if=pflash,format=raw,file=" + variables,
           "-netdev", "user,id=n0,restrict=on", "-device", "virtio-net-pci,netdev=n0,romfile=,mac=" + mac]
edk2_setup.configure(machine, variables, scratch, "iqn.2026-11.test:edk2")
PYTHON
ok "the initiator is switched on, by hand as it were, in the setup screens"
start_lunbootd --writes=drop --files="$top/build" "$scratch/disk.img"
keep_vars=yes start_vm "${card[@]}"
wait_console 'KERNEL-OK' 240 "a kernel is up, from a disk that EDK2's initiator logged in to"
console_has 'IBFT initiator/initiator-name iqn.2026-11.test:edk2' "the iBFT is EDK2's"
console_has 'IBFT target0/target-name iqn.2026-11.org.lunboot:disk:52-54-00-12-34-56' "with the machine's own target"
lunbootd_says "is given .* with its firmware's own initiator, disk .*:52-54-00-12-34-56.g1" "lunbootd tells it apart"
lunbootd_says 'logged in as iqn.2026-11.test:edk2' "and sees its login"
end qemu KILL
keep_vars=yes start_vm "${card[@]}"
wait_log lunbootd "disk .*:52-54-00-12-34-56.g2" 60
ok "with the next power-on another boot begins"
wait_console 'KERNEL-OK' 240 "with a disk that nobody has written to, up to the kernel"
pass
