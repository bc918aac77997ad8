/* iBFT, the iSCSI Boot Firmware Table, version 1: what firmware tells the operating system about
 * the session it booted from, so that the system can make it anew. Start here.
 *
 * One initiator, one or two pairs of NIC and target (a Linux kernel wants the control structure to
 * be exactly 18 bytes, which has room for two). Little-endian; strings in a heap at the end. The
 * layout follows what Linux, open-iscsi and dracut ask for; see docs/rfc-coverage.md.
 *
 * The table holds CHAP secrets and IPsec's key in clear text: the operating system needs them. */
#ifndef LB_IBFT_H
#define LB_IBFT_H

#include "core/base/addr.h"
#include "core/base/limits.h"

#define LB_IBFT_MAX         8192      /* bytes: names, secrets, two pairs, two lists: under 5000 */
#define LB_IBFT_ID_MAX      255       /* bytes of an identity in IKE: config.def's limit */
#define LB_IBFT_REQUIRE_MAX 128       /* bytes: config.def's limits again */
#define LB_IBFT_LIST_MAX    1072      /* bytes: a list, and an address before it */
#define LB_IBFT_PAIRS       2         /* that we write */
#define LB_IBFT_OEM         "LUNBOT"  /* of the tables that lunboot.efi makes: OEM ID, 6 bytes */
#define LB_IBFT_OEM_TABLE   "LUNBOOT" /* and OEM table ID, 8 bytes with a NUL */
#define LB_IBFT_READ        4         /* NICs, and targets, that are kept of a table of others */

enum lb_ibft_origin { /* where the address came from */
                      LB_IBFT_OTHER = 0,
                      LB_IBFT_MANUAL = 1,
                      LB_IBFT_DHCP = 3,
                      LB_IBFT_ROUTER = 4, /* router advertisement */
};

enum lb_ibft_chap {
    LB_IBFT_NO_CHAP = 0,
    LB_IBFT_CHAP = 1,
    LB_IBFT_MUTUAL = 2,
};

struct lb_ibft_nic {
    uint8_t index;    /* the structure's own number, which targets name; need not be its place */
    bool is_selected; /* the firmware's "boot selected" */
    struct lb_addr address;
    uint8_t prefix_len;
    enum lb_ibft_origin origin;
    struct lb_addr gateway, dns[2], dhcp; /* family none: all zero bytes */
    uint16_t vlan;                        /* 0: none; else 1..4094 */
    uint8_t mac[6];
    uint16_t pci; /* bus << 8 | device << 3 | function, of segment 0; 0: not known */
    char hostname[LB_HOST_MAX + 1];
};

struct lb_ibft_target {
    uint8_t index;    /* as of a NIC */
    bool is_selected; /* as of a NIC */
    struct lb_endpoint portal;
    uint8_t lun[8];
    enum lb_ibft_chap chap;
    uint8_t nic; /* the index of the NIC it is reached by; not a place in `nics` */
    char name[LB_NAME_MAX + 1];
    char chap_name[LB_CHAP_NAME_MAX + 1];
    uint8_t chap_secret[LB_SECRET_MAX];
    size_t chap_secret_len;
    char reverse_name[LB_CHAP_NAME_MAX + 1];
    uint8_t reverse_secret[LB_SECRET_MAX];
    size_t reverse_secret_len;
};

/* What the target was spoken to with, in a structure of our own that the control structure's
 * "extensions" leads to: others pass it over. */
struct lb_ibft_ipsec {
    bool is_there;
    bool is_transport; /* else tunnel mode */
    uint8_t psk[LB_SECRET_MAX];
    size_t psk_len;
    char id[LB_IBFT_ID_MAX + 1], peer_id[LB_IBFT_ID_MAX + 1];
};

/* What else was required for the disk, in the same structure, as texts of configuration keys. The
 * texts that are empty required nothing. */
struct lb_ibft_policy {
    bool is_there;
    char require[LB_IBFT_REQUIRE_MAX + 1]; /* words: see config.def */
    char allow_server[LB_IBFT_LIST_MAX + 1], allow_target[LB_IBFT_LIST_MAX + 1];
};

struct lb_ibft {
    char oem_id[7], oem_table_id[9]; /* padded with NULs; empty: LB_IBFT_OEM, LB_IBFT_OEM_TABLE */
    char initiator[LB_NAME_MAX + 1];
    struct lb_addr isns, slp; /* the servers that discovery used */
    struct lb_ibft_nic nics[LB_IBFT_READ];
    struct lb_ibft_target targets[LB_IBFT_READ];
    size_t nic_count, target_count;
    struct lb_ibft_ipsec ipsec;
    struct lb_ibft_policy policy;
};

/* The table, checksum and all, into room: one or two pairs, which get the indexes 0 and 1, and of
 * which the first is boot-selected. False: it does not fit, or a field is not valid (no pair, no
 * initiator, a target without name, address or NIC); *len is then untouched. */
bool lb_ibft_encode(const struct lb_ibft *ibft, struct lb_span room, size_t *len);
/* Reads a table of anyone's as Linux would: signature, length, checksum, revision, and each
 * structure's id and least length. NICs and targets that are flagged neither valid nor selected are
 * left out, and so are those that are too short or not in the table, and those for which there is
 * no room. Texts end at a NUL. False leaves *ibft. Strings longer than their fields are a failure,
 * but for the host name. */
bool lb_ibft_decode(struct lb_bytes table, struct lb_ibft *ibft);

/* The target that the firmware booted: the first that is boot-selected. NULL: none is. */
const struct lb_ibft_target *lb_ibft_boot_target(const struct lb_ibft *ibft);
/* The NIC that the target names; where there is none of this index, the first that is selected, or
 * the only one. NULL: the table has none of these. */
const struct lb_ibft_nic *lb_ibft_nic_of(const struct lb_ibft *ibft,
                                         const struct lb_ibft_target *target);

#endif
