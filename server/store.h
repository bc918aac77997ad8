/* What lunbootd knows over a restart: the addresses that it gave, and the boots of its machines.
 *
 * One SQLite file, lunbootd.db, in the folder `state`; WAL, and one writer, a thread. Changes are
 * put in a queue and the caller goes on. The writer takes all that wait, writes them in one
 * transaction and makes it durable: one fdatasync for all (group commit). Each change has a ticket,
 * a number that only grows; an answer that depends on a change is held back until its ticket is
 * done. The file descriptor is readable when tickets are done. */
#ifndef LB_SERVER_STORE_H
#define LB_SERVER_STORE_H

#include "server/settings.h"

#define LB_STORE_CLIENT_MAX 255
#define LB_STORE_FOR_EVER   INT64_MAX
#define LB_STORE_QUEUE      1024 /* changes that wait; more are refused until the writer is done */

/* An address and who has it: struct lb_dhcp4_kept, in the time of the calendar. */
struct lb_store_lease {
    struct lb_addr address;
    uint8_t client[LB_STORE_CLIENT_MAX]; /* client_len 0: nobody, it is put aside */
    uint8_t client_len;
    int64_t until_s; /* seconds since 1970; LB_STORE_FOR_EVER */
    bool leased, declined, bootp;
};

struct lb_binding;
/* How a binding is kept. now_s: the calendar's time. */
struct lb_store_lease lb_server_lease_of(const struct lb_binding *binding, uint64_t now_us,
                                         int64_t now_s);
/* What is left of a lease, in seconds; UINT32_MAX: for ever, 0: it is over. */
uint32_t lb_server_lease_left_s(const struct lb_store_lease *lease, int64_t now_s);

/* A machine, by its name in lunbootd. */
struct lb_store_machine {
    char name[LB_SERVER_MACHINE_NAME_MAX + 1];
    uint8_t mac[6];   /* zeros: it belongs to a section of lunbootd.conf */
    uint32_t offered; /* the boot that DHCP names: N of .gN */
};

/* A machine that lunbootctl has added: the text of its section, as lunbootd.conf would have it. */
struct lb_store_section {
    char name[LB_SERVER_MACHINE_NAME_MAX + 1];
    char text[1024]; /* empty: it is removed */
};

/* A machine in a maintenance boot, and the version of an image that is being made of it. */
struct lb_store_work {
    char name[LB_SERVER_MACHINE_NAME_MAX + 1];
    char image[LB_SERVER_MACHINE_NAME_MAX + 1]; /* empty: it is over */
    uint32_t version;                           /* 0: nothing is being made */
};

struct lb_store_internals;

struct lb_server_store {
    int fd; /* readable: tickets are done; -1: closed */
    struct lb_store_internals *in;
};

struct lb_store_progress {
    uint64_t done;   /* every ticket up to this one is written, or has failed */
    uint64_t failed; /* the last ticket that could not be written; 0: none */
};

/* Opens FOLDER/lunbootd.db; makes both where they are missing. An open store is this process's
 * alone. What is open after a failure is closed by lb_server_store_close. */
bool lb_server_store_open(struct lb_server_store *store, const char *folder,
                          struct lb_server_error *error);
/* Reads what is kept, one at a time from the first, before anything is put. False: that was all, or
 * the file cannot be read; then error says so. Leases come with the longest first. */
bool lb_server_store_next_lease(struct lb_server_store *store, struct lb_store_lease *lease,
                                struct lb_server_error *error);
/* The same of the machines, by their names. */
bool lb_server_store_next_machine(struct lb_server_store *store, struct lb_store_machine *machine,
                                  struct lb_server_error *error);
/* The same of sections, by their names. */
bool lb_server_store_next_section(struct lb_server_store *store, struct lb_store_section *section,
                                  struct lb_server_error *error);
/* The same of maintenance boots. */
bool lb_server_store_next_work(struct lb_server_store *store, struct lb_store_work *work,
                               struct lb_server_error *error);
/* Replaces what is known of this address and of this client. Gives the ticket; 0: the queue is
 * full, and nothing was changed. */
uint64_t lb_server_store_put_lease(struct lb_server_store *store,
                                   const struct lb_store_lease *lease);
/* The same of a machine, by its name. */
uint64_t lb_server_store_put_machine(struct lb_server_store *store,
                                     const struct lb_store_machine *machine);
/* The same of a section, by its name. */
uint64_t lb_server_store_put_section(struct lb_server_store *store,
                                     const struct lb_store_section *section);
/* The same of a maintenance boot, by the machine's name. */
uint64_t lb_server_store_put_work(struct lb_server_store *store, const struct lb_store_work *work);
/* Waits until all that was put is done: for rare commands of a person. */
void lb_server_store_flush(struct lb_server_store *store);
/* What is done; the descriptor is not readable after it, until there is more. */
struct lb_store_progress lb_server_store_progress(struct lb_server_store *store);
/* Why the last write failed; a copy, empty: none did. */
void lb_server_store_reason(struct lb_server_store *store, char *room, size_t cap);
/* Commits so far: several changes may share one. */
uint64_t lb_server_store_commits(struct lb_server_store *store);
/* Writes what waits, then closes; harmless where it is closed. */
void lb_server_store_close(struct lb_server_store *store);

#endif
