/* The words and files by which dracut and Debian's open-iscsi are told of a network disk
 * (dracut.cmdline(7), open-iscsi's README.Debian), so that an installation that has them needs
 * nothing changed but the package. They mean what they mean there: in any order, several disks,
 * all LUNs of a target.
 *
 *   lb_words_read_file   /etc/iscsi/iscsi.initramfs, first
 *   lb_words_read_line   the kernel command line
 *   lb_words_configure   what they say, as configuration
 *
 * What is not known, or not ours, ends nothing; what is known and wrong is an error, which counts
 * where somebody asked for a disk (lb_words_configure). */
#ifndef LB_LINUX_WORDS_H
#define LB_LINUX_WORDS_H

#include "core/base/config.h"

#define LB_WORDS_HOLDS_BYTES 46 /* "PARTUUID=", a GUID's text, and a NUL */

/* Words with one value: the last one counts. */
enum lb_words_id {
    LB_WORDS_ONE_INITIATOR,
    LB_WORDS_ONE_TARGET,
    LB_WORDS_ONE_SERVERS, /* one address, or several with blanks between them */
    LB_WORDS_ONE_PORT,
    LB_WORDS_ONE_LUN, /* decimal */
    LB_WORDS_ONE_USER,
    LB_WORDS_ONE_SECRET,
    LB_WORDS_ONE_TARGET_USER,
    LB_WORDS_ONE_TARGET_SECRET,
    LB_WORDS_ONE_ROOT, /* root=, other than iscsi: and dhcp */
    LB_WORDS_ONE_BOOTDEV,
    LB_WORDS_ONE_BOOTIF,
    LB_WORDS_ONE_NETMASK, /* this and the next: beside ip=ADDRESS alone, as installers have it */
    LB_WORDS_ONE_GATEWAY,
    LB_WORDS_ONE_HOSTNAME,
    LB_WORDS_ONE_KSDEVICE,
    LB_WORDS_ONE_MTU,
    LB_WORDS_ONE_IP6, /* ip6= of Ubuntu */
    LB_WORDS_ONE_VENDOR_CLASS,
    LB_WORDS_ONE_DHCP_TIMEOUT,
    LB_WORDS_ONE_LINK_TIMEOUT,
    LB_WORDS_ONES,
};

/* Words that may come several times. */
enum lb_words_list {
    LB_WORDS_DISK, /* what follows "iscsi:" of netroot= and root= */
    LB_WORDS_IP,   /* ip= */
    LB_WORDS_IFNAME,
    LB_WORDS_MADE, /* vlan=, bond=, team=, bridge= */
    LB_WORDS_NAMESERVER,
    LB_WORDS_ROUTE,
    LB_WORDS_PARAM, /* rd.iscsi.param= */
    LB_WORDS_LISTS,
};

enum {
    LB_WORDS_MAX = 16,      /* of one list; more are passed over, with a note */
    LB_WORDS_NOTES_MAX = 8, /* for a person who looks for the reason */
    LB_WORDS_FILE_MAX = 2048,
};

struct lb_words_word {
    const char *name;      /* as it stood: "netroot", "vlan"; a constant */
    struct lb_bytes value; /* the caller's memory, or `file` */
    enum lb_config_source source;
};

struct lb_words {
    struct lb_words_word one[LB_WORDS_ONES]; /* name is NULL: it is not there */
    struct lb_words_word list[LB_WORDS_LISTS][LB_WORDS_MAX];
    size_t count[LB_WORDS_LISTS];
    bool asks_dhcp;      /* root=dhcp, netroot=dhcp: the Root Path says which disk */
    bool asks_dhcp6;     /* of these: dhcp6 */
    bool asks_iscsi;     /* netroot=iscsi without a disk: the table, or DHCP */
    bool asks_ibft;      /* rd.iscsi.firmware, rd.iscsi.ibft, iscsi_auto, ip=ibft */
    bool forbids_ibft;   /* one of them is 0 */
    bool ignores_bootif; /* rd.bootif=0 */

    char notes[LB_WORDS_NOTES_MAX][160]; /* fit for a terminal */
    size_t note_count;
    char file[LB_WORDS_FILE_MAX]; /* values of a file, without their quotes */
    size_t file_used;

    /* Results of lb_words_configure. */
    bool interface_is_hint; /* by BOOTIF= alone: where there is no such card, another will do */
    char not_made[64];      /* "vc0.100, which vlan= would make"; empty: nothing of that kind */
    char not_made_name[32]; /* of the interface: where it is there all the same, all is well */
};

/* A zeroed struct has read nothing. It holds secrets and points into what was read: wipe it. */

/* A shell's assignments, as in iscsi.initramfs: NAME=value, quotes as a shell has them, comments. A
 * line that is none, and a value that a shell would have to work out, are passed over with a
 * note. */
void lb_words_read_file(struct lb_words *words, struct lb_bytes file);
/* A kernel command line; the text stays the caller's while the words are used. */
void lb_words_read_line(struct lb_words *words, struct lb_bytes line);
/* Sets what they say, with LB_SOURCE_KERNEL or, of the file, LB_SOURCE_OPEN_ISCSI. A disk that is
 * asked for sets `enable`: who may write the kernel's command line may say so; the firmware's table
 * enables by itself, so words that ask for it set nothing. False: *error names the word that is
 * wrong, and what was not wrong is set: where nobody enables a boot (lb_words_ask), it is of no
 * interest. */
bool lb_words_configure(struct lb_words *words, struct lb_config *config, struct lb_error *error);
/* Whether they ask for a disk, or for the firmware's table. */
bool lb_words_ask(const struct lb_words *words);

/* InitiatorName= of open-iscsi's initiatorname.iscsi; empty: there is none, or it is yet to be made
 * (GenerateName=). */
struct lb_bytes lb_words_initiator_name(struct lb_bytes file);

/* What the firmware's variable LoaderDevicePartUUID says of the partition that the boot loader came
 * from, as PARTUUID=...: 4 bytes of attributes, then a GUID as UTF-16 text. False: it says none. */
bool lb_words_loader_partition(struct lb_bytes variable, char holds[LB_WORDS_HOLDS_BYTES]);

#endif
