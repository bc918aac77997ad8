/* What the firmware booted from, as configuration: its iSCSI Boot Firmware Table. */
#ifndef LB_LINUX_IBFT_SOURCE_H
#define LB_LINUX_IBFT_SOURCE_H

#include "core/base/config.h"
#include "core/ibft/ibft.h"

enum lb_ibft_found {
    LB_IBFT_ABSENT,
    LB_IBFT_READ_WELL,
    LB_IBFT_BROKEN,      /* there is one, and it cannot be understood */
    LB_IBFT_OURS_BROKEN, /* the same of lunboot.efi: what it required is not known */
};

/* Reads the table under ROOT/sys/firmware/acpi/tables. Of several that of lunboot.efi counts, for
 * that program started what came here. Without one there (BIOS firmware puts it
 * elsewhere) reads ROOT/sys/firmware/ibft, where the kernel's module iscsi_ibft shows what it
 * found. *ibft is written when it was read well. It holds secrets: wipe it. */
enum lb_ibft_found lb_ibft_read(const char *root, struct lb_ibft *ibft);
/* Whether lunboot.efi made this table, by its names. */
bool lb_ibft_is_ours(const struct lb_ibft *ibft);

/* Sets what it says, with source LB_SOURCE_IBFT: `enable`, for only an administrator's boot leaves
 * such a table; target, server, port, LUN, the initiator's name, CHAP, which is required of that
 * target if the firmware used it (lb_config_table); IPsec's keys, which are required then, too
 * (`require = ipsec`); the address where it did not come from DHCP or a router, and also then where
 * the firmware demanded DHCP that proves itself and *config has no dhcp-keys: DHCP is not asked. So
 * it is the last source to be read. Not `interface`:
 * the table has its MAC address alone (lb_choose_interface). False: *error says what is wrong: no
 * target is boot-selected, the NIC that it names is not there, a value is not valid; *config is
 * then as it was. */
bool lb_ibft_configure(const struct lb_ibft *ibft, struct lb_config *config,
                       struct lb_error *error);

/* For a stage that has no table, the next kernel or a later login: what the table requires of its
 * target, CHAP or mutual CHAP, becomes a word of `require`. Nothing where target is another. */
void lb_ibft_require(struct lb_config *config, const char *target, struct lb_error *error);

/* Whether the boot can go on with what was found, once all sources of the configuration are read.
 * is_asked_for: a word of the kernel command line names the table. *error may hold what
 * lb_ibft_configure said of a broken table. One of lunboot.efi is an error whatever else names the
 * disk, unless it is not to be used (ibft=no). False: *error is NO_IBFT (the table was to name the
 * disk, is not there, and nothing else does) or says what is wrong with it (and nothing else names
 * the disk), or that its NIC is on a VLAN (and no interface is named). True: *error is empty. */
bool lb_ibft_is_enough(enum lb_ibft_found found, const struct lb_ibft *ibft, bool is_asked_for,
                       const struct lb_config *config, struct lb_error *error);

/* One attribute of the module: FOLDER/NAME, such as "target0/port", and its text. What is unknown
 * is passed over. False: its value is not valid. Begin with a zeroed *ibft, and give the attributes
 * in any order; call lb_ibft_shown_end at the end, which takes out what is not flagged valid. */
struct lb_ibft_shown {
    struct lb_ibft ibft;
    bool nic_is_valid[LB_IBFT_READ], target_is_valid[LB_IBFT_READ];
};
/* See struct lb_ibft_shown. Attributes of more NICs or targets than LB_IBFT_READ are passed
 * over. */
bool lb_ibft_shown_add(struct lb_ibft_shown *shown, struct lb_bytes folder, const char *name,
                       struct lb_bytes value);
/* Takes out the NICs and targets that are not flagged valid. */
void lb_ibft_shown_end(struct lb_ibft_shown *shown);

#endif
