/* Who boots what: machines, their disks, and their targets.
 *
 * With writes = direct every machine without a section has the same target, whose LUN 0 is the disk
 * itself. Else each machine has a target of its own, named after it, whose LUN 0 is an overlay over
 * the disk. A machine without a section is known by its card's hardware address, from the first
 * time that it asks for an address.
 *
 * With writes = drop the target's name ends in .gN, N being the boot. A firmware that asks for an
 * address is offered the next boot, so it is told the next name. With the first login to that name
 * the overlay begins anew, and the boot before ends: its name is gone, and so are its sessions.
 * Until then the boot before goes on, and may log in again: who asks for an address with another's
 * card does no harm. The initramfs and the running system keep the name that the firmware was told,
 * and with it their data, also while lunbootd is started anew.
 *
 * A machine with an image has the newest version from the first login of a boot on; with writes =
 * keep, from its first login or its last reset on. */
#ifndef LB_SERVER_MACHINES_H
#define LB_SERVER_MACHINES_H

#include "core/target/target.h"
#include "server/head.h"
#include "server/images.h"
#include "server/index.h"
#include "server/storage.h"
#include "server/store.h"
#include <stdatomic.h>

#define LB_SERVER_MACHINES_MAX  16384 /* that boot; each has a target */
#define LB_SERVER_DIRECTORY_MAX 512   /* of them, that iSNS and SLP tell of: the first */
#define LB_SERVER_DISKS_MAX     (LB_SERVER_SECTIONS_MAX + 1)
#define LB_SERVER_REGISTRATIONS                                                                    \
    16 /* initiator ports with a key at one disk, by PERSISTENT RESERVE */

struct lb_server_sanitize;
struct lb_server_disk;

/* Which thread serves the sessions of a disk that is written: all of them are one's, so that their
 * commands come one after the other. It belongs to the place in the list, whoever has it. */
struct lb_server_home {
    unsigned worker;
    size_t users;                     /* sessions, and a SANITIZE; 0: any may have it next */
    uint64_t waits_since_us;          /* a replaced thread waits for its disk; 0: none, threads.h */
    struct lb_server_disk *waits_for; /* that counts it; NULL: none */
};

/* A file or device that is open, once, whoever uses it. */
struct lb_server_disk {
    char path[LB_SERVER_PATH_MAX + 1];
    uint64_t changed_ns; /* of the file; 0: a block device */
    struct lb_storage storage;
    struct lb_server_home home; /* of all machines that write it directly */
    atomic_uint waiting;        /* replaced threads that wait for it, or for an overlay over it */
};

struct lb_server_machine {
    char name[LB_SERVER_MACHINE_NAME_MAX + 1]; /* empty: all that have no target of their own */
    uint8_t mac[6], uuid[16];                  /* zeros: not known by it */
    enum lb_server_writes writes;
    char image[LB_SERVER_IMAGE_MAX + 1]; /* empty: its disk is a file or a device */
    struct lb_server_disk *disk;         /* of an image: the version that it has */
    struct lb_target *nodes;             /* two: of even boots, and of odd ones */
    struct lb_target *node;   /* of them, what DHCP names: that of the boot that is offered */
    struct lb_scsi_unit unit; /* the nodes' LUN 0 */
    struct lb_scsi_registration registrations[LB_SERVER_REGISTRATIONS]; /* the unit's */
    char initiator_name[LB_NAME_MAX + 1]; /* the one that may log in; empty: any */
    const char *initiator;                /* the same, as the node takes it; NULL: any */
    const struct lb_server_chap *chap;    /* asked of who logs in; NULL: nothing, or it is known */
    struct lb_target_account account;     /* of chap, as the node takes it */
    char base_name[LB_NAME_MAX + 1];      /* the target's name without .gN */
    struct lb_server_head head;           /* its generation is the boot that has the overlay */
    uint32_t offered;                     /* the boot that DHCP names: that one, or the next */
    uint64_t ticket;                      /* of the store: the offer is durable then */
    bool is_open;                         /* the overlay */
    bool has_said_full;                   /* that it is nearly full, since it was opened */
    bool is_gone;                         /* it was removed: its place is free */
    bool is_section;                      /* of lunbootd.conf, or added by lunbootctl */
    bool is_leaving;    /* its section has gone: its sessions go on, and nobody boots by it */
    bool is_maintained; /* its boots keep what it writes, until a commit or a reset */
    bool is_busy;       /* a version is made of it, or it is reset: nobody logs in */
    uint64_t asked;     /* when it asked for an address last, by the count of all who did */
    struct lb_storage overlay;
    struct lb_server_sanitize *sanitize; /* goes on, or has failed; NULL: nothing. See sanitize.h */
    /* A piece of it is being written, or its overlay is opened: other threads leave it alone. */
    bool is_at_work;
    struct lb_server_home home;
};

struct lb_server_machines {
    const struct lb_server_settings *settings;
    struct lb_server_store *store;
    struct lb_server_disk disks[LB_SERVER_DISKS_MAX];
    size_t disk_count;
    /* LB_SERVER_MACHINES_MAX of them, of which the kernel gives those that are used. */
    struct lb_server_machine *list;
    struct lb_target *nodes;  /* two of each machine */
    struct lb_target **shown; /* to each of nodes; who may not see one is not told of it */
    size_t count, gone_count; /* gone: of these, that are free */
    uint64_t asked, forgot;   /* requests for an address; the same at unused.c's last search */
    struct lb_index index;    /* of those that are not gone */
    uint64_t stamp;
};

/* Opens the disks, and makes the targets that are known already. settings and store outlive it.
 * What is open after a failure is closed by lb_server_machines_close. */
bool lb_server_machines_open(struct lb_server_machines *machines,
                             const struct lb_server_settings *settings,
                             struct lb_server_store *store, struct lb_server_error *error);
/* The machine that asks for an address; mac: zeros where that is not known; uuid: option 97's 16
 * bytes, or empty. is_boot: it is a firmware, so a boot begins. NULL: it gets no disk. */
struct lb_server_machine *lb_server_machines_find(struct lb_server_machines *machines,
                                                  const uint8_t mac[6], struct lb_bytes uuid,
                                                  bool is_boot);
/* A number that changes with the names of the targets and with who may log in: when machines come
 * and go, and with each boot of one whose writes are dropped. */
uint64_t lb_server_machines_stamp(const struct lb_server_machines *machines);
/* The target of this name, without regard to case; NULL: there is none. Where writes are dropped,
 * the name without .gN is that of the boot that has the overlay. */
struct lb_target *lb_server_machines_node(struct lb_server_machines *machines, const char *name);
/* It is known by these from here on; zeros: not by it. */
void lb_server_machine_identify(struct lb_server_machines *machines,
                                struct lb_server_machine *machine, const uint8_t mac[6],
                                const uint8_t uuid[16]);
/* The machine of a target; NULL: of none. */
struct lb_server_machine *lb_server_machines_of(struct lb_server_machines *machines,
                                                const struct lb_target *node);
/* The boot that a node of this machine belongs to. */
uint32_t lb_server_machine_boot(const struct lb_server_machine *machine,
                                const struct lb_target *node);
/* The disk of a machine that logs in, and uses it, in this boot; *is_new: its overlay began anew
 * just now, so that sessions of an earlier boot must end. NULL: see error. */
struct lb_storage *lb_server_machine_enter(struct lb_server_machines *machines,
                                           struct lb_server_machine *machine, uint32_t boot,
                                           bool *is_new, struct lb_server_error *error);
/* Whether it has an overlay that it goes on with, over its disk as it is. */
bool lb_server_machine_has_begun(const struct lb_server_machine *machine);
/* Bytes of a block of the disk, as it is served. */
uint32_t lb_server_disk_block_bytes(const struct lb_server_machines *machines,
                                    const struct lb_server_disk *disk);
/* The folder of its overlay. */
void lb_server_machine_folder(const struct lb_server_machines *machines,
                              const struct lb_server_machine *machine,
                              char path[LB_SERVER_PATH_MAX + 64]);
/* The same where nothing needs to be done for it: its disk, as it is. NULL: see
 * lb_server_machine_enter. */
struct lb_storage *lb_server_machine_entered(struct lb_server_machine *machine, uint32_t boot);
/* Where its sessions are served. */
struct lb_server_home *lb_server_machine_home(struct lb_server_machine *machine);
/* The machine that a person means, by its name or its card's hardware address; "all": the one that
 * has no name. NULL: there is none. */
struct lb_server_machine *lb_server_machines_named(struct lb_server_machines *machines,
                                                   struct lb_bytes word);
/* One more machine: a section of the settings that came later. */
bool lb_server_machines_add(struct lb_server_machines *machines,
                            const struct lb_server_machine_settings *section,
                            struct lb_server_error *error);
/* It is no machine any more; nobody is logged in to it. What it has written stays. */
void lb_server_machines_forget(struct lb_server_machines *machines,
                               struct lb_server_machine *machine);
/* Who may log in to it from here on: this initiator; empty: any. Sessions go on. */
void lb_server_machine_allow(struct lb_server_machines *machines, struct lb_server_machine *machine,
                             const char *initiator);
#define LB_SERVER_INITIATORS_MAX 2 /* names of one machine */
/* The initiator names of a machine: the one that alone may log in, else those that lunboot makes of
 * its card and of its UUID. which: below LB_SERVER_INITIATORS_MAX. False: there is no such name. */
bool lb_server_machine_initiator(const struct lb_server_machine *machine, unsigned which,
                                 char name[LB_NAME_MAX + 1]);
/* Drops what it has written; nobody is logged in to it. */
bool lb_server_machine_reset(struct lb_server_machines *machines, struct lb_server_machine *machine,
                             struct lb_server_error *error);
/* From its next boot on it keeps what it writes, over the newest version; nobody is logged in. */
bool lb_server_machine_maintain(struct lb_server_machines *machines,
                                struct lb_server_machine *machine, struct lb_server_error *error);
/* Its overlay is open and durable, and nobody may log in from here on: a version can be made. */
bool lb_server_machine_freeze(struct lb_server_machines *machines,
                              struct lb_server_machine *machine, struct lb_server_error *error);
/* That is over. is_made: it begins anew, over the newest version. */
bool lb_server_machine_thaw(struct lb_server_machines *machines, struct lb_server_machine *machine,
                            bool is_made, struct lb_server_error *error);
/* Sections whose image was missing are served, where it is there by now. */
void lb_server_machines_refresh(struct lb_server_machines *machines);
/* How many machines have this version: by what is open, and by the heads of all overlays. */
size_t lb_server_machines_count_users(const struct lb_server_machines *machines,
                                      const struct lb_image *image);
/* The disks of this path are closed: machines that pointed to one have the newest version. */
void lb_server_machines_close_version(struct lb_server_machines *machines, const char *path);
/* Removes the versions that nobody has and that are not the newest. */
void lb_server_machines_free_versions(struct lb_server_machines *machines);
/* Removes a version, also the newest: machines that have not begun boot from the one before then.
 * False, and nothing is changed: a machine has it, or would have none. */
bool lb_server_machines_remove_version(struct lb_server_machines *machines,
                                       const struct lb_image *image, struct lb_server_error *error);
/* Closes the disks and forgets the machines; harmless where there are none. */
void lb_server_machines_close(struct lb_server_machines *machines);

/* The name of a disk's target where nobody gave one: made of its file's name. */
void lb_server_target_name(char name[LB_NAME_MAX + 1], const char *disk);

#endif
