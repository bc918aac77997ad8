/* lunbootd as a whole: what it serves, and its loop. */
#ifndef LB_SERVER_SERVE_H
#define LB_SERVER_SERVE_H

#include "server/control.h"
#include "server/dhcp.h"
#include "server/dhcp6.h"
#include "server/fetch.h"
#include "server/folder.h"
#include "server/held.h"
#include "server/isns.h"
#include "server/job.h"
#include "server/link_watch.h"
#include "server/page.h"
#include "server/routers.h"
#include "server/slp.h"
#include "server/store.h"
#include "server/target.h"

struct lb_server {
    int argc;            /* of the command line, which a reload reads again; the caller's, and */
    char **argv;         /* outlive it */
    uint32_t asked_dhcp; /* enum lb_server_dhcp_mode, as the settings have it */
    struct lb_server_settings settings;
    struct lb_server_link link;
    struct lb_server_link_watch link_watch;
    struct lb_server_held held;
    struct lb_server_files files;
    struct lb_server_machines machines;
    struct lb_server_dhcp dhcp;
    struct lb_server_dhcp6 dhcp6;
    struct lb_server_routers routers;
    struct lb_server_fetch fetch;
    struct lb_server_folder folder; /* of boot files, for DHCP */
    struct lb_server_target target;
    struct lb_board board;
    uint64_t board_us;     /* when it was refreshed */
    uint64_t addresses_us; /* when those of open sessions were kept */
    struct lb_page page;
    struct lb_server_isns isns;
    struct lb_server_slp slp, slp6;
    struct lb_server_store store;
    struct lb_server_control control;
    struct lb_server_job job;
    uint64_t told_us; /* when the one who waits for it was told of its progress */
    struct lb_server_source signals, kept; /* kept: the store's */
    int epoll;
    bool is_over;
};

/* Opens everything that the settings ask for; they are checked, and come from this command line.
 * What is open after a failure is closed by lb_server_close. */
bool lb_server_open(struct lb_server *server, int argc, char **argv,
                    const struct lb_server_settings *settings, struct lb_server_error *error);
/* Serves until SIGTERM or SIGINT. */
void lb_server_run(struct lb_server *server);
/* One more machine, by its section. where: who gives it, for the error; then all is as it was. */
bool lb_server_add_section(struct lb_server *server, const struct lb_store_section *section,
                           const char *where, struct lb_server_error *error);
/* DHCP answers by the settings as they are now. */
bool lb_server_reload_dhcp(struct lb_server *server, struct lb_server_error *error);
void lb_server_close(struct lb_server *server); /* harmless where it is closed */

#endif
