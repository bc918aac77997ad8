#!/bin/bash
# tgt with header and data digests (CRC32C), each alone, both and neither.
. "$(dirname "$0")/lib.sh"
need_lunboot
need tshark
make_net
serve_disk
give_client_address

prefer=(--header-digest=prefer --data-digest=prefer)
for digests in none header data both; do
    case $digests in
    none) header=None data=None ;;
    header) header=CRC32C data=None ;;
    data) header=None data=CRC32C ;;
    both) header=CRC32C data=CRC32C ;;
    esac
    tgt --mode target --op update --tid 1 --name HeaderDigest --value "$header"
    tgt --mode target --op update --tid 1 --name DataDigest --value "$data"
    start_capture "$server_ns" vs0 tcp port 3260
    reads_the_disk "digests that tgt insists on: $digests" "${prefer[@]}"
    stop_capture
    agreed=$(tshark -r "$scratch/capture.pcap" -Y 'iscsi.opcode == 0x23' -T fields \
        -e iscsi.keyvalue 2>/dev/null | tr ',' '\n')
    grep -q "HeaderDigest=$header" <<<"$agreed" || fail "HeaderDigest=$header was not agreed on"
    grep -q "DataDigest=$data" <<<"$agreed" || fail "DataDigest=$data was not agreed on"
    ok "the login agreed on HeaderDigest=$header and DataDigest=$data"
    rm -f "$scratch/capture.pcap"
done
tgt --mode target --op update --tid 1 --name HeaderDigest --value CRC32C,None
tgt --mode target --op update --tid 1 --name DataDigest --value CRC32C,None
reads_the_disk "digests that we require" --require=header-digest,data-digest
pass
