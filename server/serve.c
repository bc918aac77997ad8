#include "server/serve.h"
#include "os/linux/clock.h"
#include "server/ending.h"
#include "server/image_commands.h"
#include "server/lock.h"
#include "server/notify.h"
#include "server/other_dhcp.h"
#include "server/output.h"
#include "server/reload.h"
#include "server/rights.h"
#include "server/say.h"
#include "server/unused.h"
#include "server/view.h"
#include "server/workers.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define EVENTS_MAX    64
#define BOARD_SOON_US (200 * LB_US_MS)
#define ADDRESSES_S   60 /* or a quarter of a lease */

/* ---- begin ---- */

static bool watch_signals(struct lb_server *server, struct lb_server_error *error) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    server->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return (server->signals.fd >= 0 && lb_server_watch(server->epoll, &server->signals, EPOLLIN)) ||
           lb_server_fail(error, "", "signals cannot be waited for: %s", strerror(errno));
}

static bool open_store(struct lb_server *server, struct lb_server_error *error) {
    if (!lb_server_store_open(&server->store, server->settings.state, error))
        return false;
    server->kept.fd = server->store.fd;
    return lb_server_watch(server->epoll, &server->kept, EPOLLIN) ||
           lb_server_fail(error, "", "the store cannot be waited for: %s", strerror(errno));
}

/* The machines that lunbootctl has added. One that lunbootd.conf has as well is the file's. */
static bool read_sections(struct lb_server *server, struct lb_server_error *error) {
    struct lb_store_section section;
    while (lb_server_store_next_section(&server->store, &section, error)) {
        struct lb_server_error why = {0};
        if (!lb_server_settings_add(&server->settings, &section, "lunbootctl add", &why))
            lb_server_say(section.name, "is not served: %s", why.what);
    }
    return error->what[0] == '\0';
}

/* It never fights another server. */
static bool choose_dhcp(struct lb_server *server, struct lb_server_error *error) {
    struct lb_addr other;
    if (!lb_addr_is_set(server->link.address) && server->settings.dhcp == LB_SERVER_DHCP_AUTO)
        server->settings.dhcp = LB_SERVER_DHCP_OFF; /* of IPv4 */
    if (server->settings.dhcp != LB_SERVER_DHCP_AUTO)
        return true;
    if (!lb_server_other_dhcp_find(&server->link, &other, error))
        return false;
    bool is_proxy = lb_addr_is_set(other);
    server->settings.dhcp = is_proxy ? LB_SERVER_DHCP_PROXY : LB_SERVER_DHCP_SERVER;
    if (is_proxy)
        lb_server_say("", "found the DHCP server %s on %s, and leaves the addresses to it",
                      lb_addr_text(other).s, server->link.name);
    return true;
}

/* They tell where the disks are. */
static bool open_directories(struct lb_server *server, struct lb_server_error *error) {
    const struct lb_server_settings *settings = &server->settings;
    if (settings->isns != LB_SERVER_ISNS_OFF &&
        !lb_server_isns_open(&server->isns, server->epoll, &server->link, settings,
                             server->target.portal, server->target.portal6, &server->machines,
                             error))
        return false;
    if (settings->slp == LB_SERVER_SLP_OFF)
        return true;
    return (!lb_addr_is_set(server->target.portal.addr) ||
            lb_server_slp_open(&server->slp, server->epoll, &server->link, settings,
                               server->target.portal, &server->machines, error)) &&
           (!lb_addr_is_set(server->target.portal6.addr) ||
            lb_server_slp_open(&server->slp6, server->epoll, &server->link, settings,
                               server->target.portal6, &server->machines, error));
}

/* Addresses that an earlier run gave. */
static bool restore_leases(struct lb_server *server, struct lb_server_error *error) {
    uint64_t now_us = lb_now_us();
    struct lb_store_lease lease;
    while (lb_server_store_next_lease(&server->store, &lease, error)) {
        if (server->dhcp.source.fd >= 0)
            lb_server_dhcp_restore(&server->dhcp, now_us, &lease);
        if (server->dhcp6.source.fd >= 0)
            lb_server_dhcp6_restore(&server->dhcp6, now_us, &lease);
    }
    return error->what[0] == '\0';
}

static bool open_addresses(struct lb_server *server, struct lb_server_error *error) {
    const struct lb_server_settings *settings = &server->settings;
    if (!choose_dhcp(server, error))
        return false;
    if (settings->dhcp != LB_SERVER_DHCP_OFF && !lb_addr_is_set(server->link.address))
        return lb_server_fail(error, "give it one, or leave DHCP of IPv4 off: --dhcp=off",
                              "the interface %s has no IPv4 address", server->link.name);
    if (settings->dhcp != LB_SERVER_DHCP_OFF &&
        !lb_server_dhcp_open(&server->dhcp, server->epoll, settings, &server->link, &server->folder,
                             &server->machines, &server->store, error))
        return false;
    if (settings->dhcp6 != LB_SERVER_DHCP6_OFF &&
        !lb_server_dhcp6_open(&server->dhcp6, server->epoll, settings, &server->link,
                              &server->folder, &server->machines, &server->store, error))
        return false;
    return restore_leases(server, error);
}

/* Router advertisements are the last: who hears one may ask for all the others. */
static bool open_services(struct lb_server *server, struct lb_server_error *error) {
    const struct lb_server_settings *settings = &server->settings;
    if (!open_addresses(server, error) ||
        !lb_server_target_open(&server->target, server->epoll, &server->link,
                               (uint16_t)settings->port, &server->machines, error) ||
        !lb_server_folder_open(&server->folder, &server->files, server->target.worker_count > 0,
                               error) ||
        !lb_server_fetch_open(&server->fetch, server->epoll, server->target.worker_count > 0,
                              settings, &server->link, &server->files, error) ||
        !lb_server_fetch_begin(&server->fetch, &server->target, error) ||
        !open_directories(server, error))
        return false;
    return !settings->router_advertisements ||
           lb_server_routers_open(&server->routers, server->epoll, settings, &server->link, error);
}

static void say_net(const struct lb_server *server, struct lb_addr first, struct lb_addr last,
                    bool is_behind) {
    lb_server_say("", "gives addresses %s to %s on %s%s", lb_addr_text(first).s,
                  lb_addr_text(last).s, server->link.name,
                  is_behind ? ", to machines behind a relay" : "");
}

static void say_ipv6(const struct lb_server *server) {
    const struct lb_server_settings *settings = &server->settings;
    const struct lb_server_nets6 *nets = &server->dhcp6.nets;
    for (size_t i = 0; settings->dhcp6 == LB_SERVER_DHCP6_SERVER && i < nets->count; i++) {
        const struct lb_dhcp6_server_config *config = &nets->list[i].server.config;
        say_net(server, config->first, config->last, i > 0);
    }
    if (settings->router_advertisements)
        lb_server_say("", "advertises the network %s on %s%s",
                      lb_prefix_text(server->link.network6).s, server->link.name,
                      settings->router_lifetime_s > 0 ? ", as its router" : "");
}

/* "192.0.2.1:3260 and [2001:db8::1]:3260" */
static void add_portals(struct lb_text *text, const struct lb_server *server) {
    struct lb_endpoint v4 = server->target.portal, v6 = server->target.portal6;
    bool has_both = lb_addr_is_set(v4.addr) && lb_addr_is_set(v6.addr);
    lb_text_add(text, "%s%s%s", lb_addr_is_set(v4.addr) ? lb_endpoint_text(v4).s : "",
                has_both ? " and " : "", lb_addr_is_set(v6.addr) ? lb_endpoint_text(v6).s : "");
}

/* What is behind its last whole block. */
static void say_left_out(const struct lb_server_machines *machines,
                         const struct lb_server_disk *disk) {
    unsigned block_bytes = lb_server_disk_block_bytes(machines, disk);
    unsigned left_out = (unsigned)(disk->storage.bytes % block_bytes) + disk->storage.left_out;
    if (left_out > 0)
        lb_server_say("", "leaves out the last %u bytes of %s: a block has %u", left_out,
                      disk->path, block_bytes);
}

static void say_disk(const struct lb_server_machines *machines, const struct lb_server_disk *disk,
                     const char *portals) {
    const char *format = lb_image_format(disk->storage.fd);
    const char *packer = lb_image_packer(disk->storage.fd);
    lb_server_say("", "serves %s (%s%s) at %s", disk->path, lb_size_text(disk->storage.bytes).s,
                  disk->storage.read_only ? ", read only" : "", portals);
    if (format != NULL)
        lb_server_say("",
                      "%s is no raw disk: it is a %s, and no machine boots from it; try: qemu-img "
                      "convert -O raw %s DISK.img",
                      disk->path, format, disk->path);
    if (packer != NULL)
        lb_server_say("",
                      "%s is no raw disk: %s has compressed it, and no machine boots from it; "
                      "try: %s -dc <%s >DISK.img",
                      disk->path, packer, packer, disk->path);
    say_left_out(machines, disk);
}

static void say_services(const struct lb_server *server) {
    const struct lb_server_settings *settings = &server->settings;
    char portals[140];
    struct lb_text text = lb_text(portals, sizeof portals);
    add_portals(&text, server);
    for (size_t i = 0; i < server->machines.disk_count; i++)
        say_disk(&server->machines, &server->machines.disks[i], portals);
    for (size_t i = 0; i < server->machines.count; i++)
        lb_server_say(server->machines.list[i].name, "target %s",
                      server->machines.list[i].node->name);
    for (size_t i = 0; settings->dhcp == LB_SERVER_DHCP_SERVER && i < server->dhcp.nets.count;
         i++) {
        const struct lb_dhcp4_server_config *config = &server->dhcp.nets.list[i].server.config;
        say_net(server, config->first, config->last, i > 0);
    }
    say_ipv6(server);
    if ((settings->tftp || settings->http) &&
        !lb_server_files_has(&server->files, "lunbootx64.efi"))
        lb_server_say("", "has no lunbootx64.efi%s%s: firmware gets no loader (--files=FOLDER)",
                      server->files.path[0] ? " in " : "", server->files.path);
}

static void notify_ready(const struct lb_server *server) {
    char status[240];
    struct lb_text text = lb_text(status, sizeof status);
    lb_text_add(&text, "Serves %zu %s at ", server->machines.disk_count,
                server->machines.disk_count == 1 ? "disk" : "disks");
    add_portals(&text, server);
    lb_text_add(&text, " on %s", server->link.name);
    lb_server_notify_ready(status);
}

/* What needs rights comes first; from here on there are none. */
static bool give_up_rights(struct lb_server *server, struct lb_server_error *error) {
    const struct lb_server_settings *settings = &server->settings;
    server->link.held = &server->held;
    lb_page_listen(&server->page, settings);
    lb_server_held_open(&server->held, &server->link, settings);
    lb_server_rights_make_folder(settings->state, settings->user);
    lb_server_rights_make_folder(settings->overlays, settings->user);
    return lb_server_rights_drop(settings->user, error) &&
           (!settings->seccomp || lb_server_rights_filter(error));
}

bool lb_server_open(struct lb_server *server, int argc, char **argv,
                    const struct lb_server_settings *settings, struct lb_server_error *error) {
    *server = (struct lb_server){
        .argc = argc,
        .argv = argv,
        .asked_dhcp = settings->dhcp,
        .settings = *settings,
        .files = {.folder = -1},
        .dhcp = {.source = {.fd = -1}, .boot = {.fd = -1}, .raw = -1},
        .dhcp6 = {.source = {.fd = -1}},
        .routers = {.source = {.fd = -1}},
        .target = {.source = {.fd = -1}, .source6 = {.fd = -1}, .wakeup = {.fd = -1}},
        .page = {.source = {.kind = LB_SOURCE_PAGE, .fd = -1}, .listener = -1},
        .isns = {.tcp = {.fd = -1}, .udp = {.fd = -1}, .tcp6 = {.fd = -1}, .udp6 = {.fd = -1}},
        .slp = {.tcp = {.fd = -1}, .udp = {.fd = -1}},
        .slp6 = {.tcp = {.fd = -1}, .udp = {.fd = -1}},
        .store = {.fd = -1},
        .job = {.source = {.kind = LB_SOURCE_JOB, .fd = -1}},
        .control = {.source = {.kind = LB_SOURCE_CONTROL, .fd = -1}},
        .signals = {.kind = LB_SOURCE_SIGNAL, .fd = -1},
        .link_watch = {.source = {.kind = LB_SOURCE_LINK, .fd = -1}},
        .kept = {.kind = LB_SOURCE_KEPT, .fd = -1},
        .epoll = epoll_create1(EPOLL_CLOEXEC),
    };
    lb_server_fetch_init(&server->fetch);
    lb_server_say_to(&server->board, settings->log_format == LB_LOG_JSON);
    if (settings->view == LB_VIEW_AUTO && settings->log_format == LB_LOG_PLAIN)
        (void)lb_view_begin();
    for (size_t i = 0; i < LB_CONTROL_CLIENTS_MAX; i++)
        server->control.clients[i].source.fd = server->control.clients[i].file = -1;
    if (server->epoll < 0)
        return lb_server_fail(error, "", "epoll cannot be had: %s", strerror(errno));
    if (!lb_server_held_inherit(&server->held, error) ||
        !lb_server_link_find(&server->link, settings->interface,
                             lb_server_settings_has_ipv6(settings), error) ||
        !give_up_rights(server, error) || !lb_output_begin(STDOUT_FILENO, error) ||
        !open_store(server, error) || !lb_images_open(settings->state, error) ||
        !read_sections(server, error) ||
        (lb_server_settings_has_overlays(&server->settings) &&
         !lb_storage_check_folder(settings->overlays, error)) ||
        !lb_server_machines_open(&server->machines, &server->settings, &server->store, error) ||
        !lb_server_files_open(&server->files, settings->files, error) ||
        !watch_signals(server, error) || !open_services(server, error) ||
        !lb_page_open(&server->page, server->epoll, &server->board, settings, error) ||
        !lb_server_image_resume(server, error) ||
        !lb_server_control_open(&server->control, server->epoll, settings->state, error))
        return false;
    lb_server_held_close(&server->held);
    server->board.is_stirred = true; /* the machines that are known */
    lb_server_link_watch_open(&server->link_watch, server->epoll, &server->link);
    say_services(server);
    lb_server_say("", "runs as %s", lb_server_rights_text());
    notify_ready(server);
    return true;
}

/* ---- the loop ---- */

static void keep_on(struct lb_server *server) {
    struct lb_store_progress progress = lb_server_store_progress(&server->store);
    if (server->dhcp.source.fd >= 0)
        lb_server_dhcp_kept(&server->dhcp, progress);
    if (server->dhcp6.source.fd >= 0)
        lb_server_dhcp6_kept(&server->dhcp6, progress);
}

static void serve_client(struct lb_server *server, struct lb_server_source *source) {
    struct lb_control_client *client = lb_server_control_client_ready(&server->control, source);
    if (client == NULL)
        return;
    lb_server_workers_settle(&server->target); /* whom it has just shut down is off */
    lb_server_command(server, client);
    lb_server_workers_go_on(&server->target);
}

static void take_signals(struct lb_server *server) {
    struct signalfd_siginfo info;
    while (read(server->signals.fd, &info, sizeof info) == sizeof info) {
        struct lb_server_error error = {0};
        if (info.ssi_signo != SIGHUP) {
            server->is_over = true;
            continue;
        }
        lb_server_notify_reloading();
        lb_server_workers_settle(&server->target);
        (void)lb_server_reload(server, &error); /* it says how it went */
        lb_server_workers_go_on(&server->target);
        notify_ready(server);
    }
}

static void dispatch(struct lb_server *server, const struct epoll_event *event, uint64_t now_us) {
    struct lb_server_source *source = event->data.ptr;
    switch (source->kind) {
    case LB_SOURCE_DHCP:
        lb_server_dhcp_ready(&server->dhcp, now_us);
        break;
    case LB_SOURCE_DHCP6:
        lb_server_dhcp6_ready(&server->dhcp6, now_us);
        break;
    case LB_SOURCE_ROUTERS:
        lb_server_routers_ready(&server->routers, now_us);
        break;
    case LB_SOURCE_TFTP:
    case LB_SOURCE_TFTP6:
    case LB_SOURCE_TRANSFER:
    case LB_SOURCE_HTTP:
        (void)lb_server_fetch_ready(&server->fetch, source, now_us);
        break;
    case LB_SOURCE_PORTAL:
        lb_server_target_ready(&server->target, source, now_us);
        break;
    case LB_SOURCE_SESSION:
        lb_server_session_ready(source, event->events, now_us);
        break;
    case LB_SOURCE_WAKEUP:
        lb_server_workers_woken(&server->target);
        break;
    case LB_SOURCE_ISNS:
        lb_server_isns_ready(&server->isns, source, now_us);
        break;
    case LB_SOURCE_SLP:
        lb_server_slp_ready(&server->slp, source, event->events, now_us);
        break;
    case LB_SOURCE_SLP6:
        lb_server_slp_ready(&server->slp6, source, event->events, now_us);
        break;
    case LB_SOURCE_KEPT:
        keep_on(server);
        break;
    case LB_SOURCE_CONTROL:
        lb_server_control_ready(&server->control);
        break;
    case LB_SOURCE_CONTROL_CLIENT:
        serve_client(server, source);
        break;
    case LB_SOURCE_JOB:
        lb_server_image_made(server);
        break;
    case LB_SOURCE_LINK:
        lb_server_link_watch_ready(&server->link_watch, now_us);
        break;
    case LB_SOURCE_SIGNAL:
        take_signals(server);
        break;
    case LB_SOURCE_PAGE:
        server->page.is_ready = true;
        break;
    }
}

/* The board follows what happens at once, and what only time shows each second. */
static uint64_t poll_board(struct lb_server *server, uint64_t now_us) {
    struct lb_board *board = &server->board;
    bool is_seen = board->is_lively || lb_page_is_watched(&server->page) || lb_view_is_on();
    if (!board->is_stirred && !is_seen)
        return LB_NEVER;
    uint64_t due_us = server->board_us + (board->is_stirred ? BOARD_SOON_US : LB_US_SEC);
    if (now_us < due_us)
        return due_us;
    server->board_us = now_us;
    lb_board_refresh(board, lb_server_time_ms(), &server->machines, &server->target);
    lb_server_show(board);
    return now_us + LB_US_SEC;
}

/* The addresses of machines that use their disks are nobody else's, also where no system renews
 * what the firmware was given. */
static uint64_t poll_addresses(struct lb_server *server, uint64_t now_us) {
    uint64_t every_us = LB_MIN(server->settings.lease_s / 4, ADDRESSES_S) * LB_US_SEC;
    const struct lb_server_session *at = NULL;
    struct lb_server_session_info info;
    if (lb_server_target_use(&server->target).connections == 0)
        return LB_NEVER;
    if (now_us < server->addresses_us + every_us)
        return server->addresses_us + every_us;
    server->addresses_us = now_us;
    while (lb_server_target_next_of_all(&server->target, &at, &info)) {
        if (info.client.addr.family == LB_V4 && server->dhcp.source.fd >= 0)
            lb_server_dhcp_seen(&server->dhcp, now_us, info.client.addr);
        else if (info.client.addr.family == LB_V6 && server->dhcp6.source.fd >= 0)
            lb_server_dhcp6_seen(&server->dhcp6, now_us, info.client.addr);
    }
    return now_us + every_us;
}

/* LB_MIN would poll twice. */
static uint64_t sooner(uint64_t a, uint64_t b) {
    return LB_MIN(a, b);
}

/* Nothing that an event is about goes away but in these. The board is the last but its page, for
 * the others tell what it shows. */
static uint64_t poll_all(struct lb_server *server, uint64_t now_us) {
    (void)lb_server_unused_forget(&server->machines, &server->target);
    uint64_t until_us = lb_server_fetch_poll(&server->fetch, now_us);
    until_us = sooner(until_us, lb_server_slp_poll(&server->slp6, now_us));
    until_us = sooner(until_us, lb_server_routers_poll(&server->routers, now_us));
    until_us = sooner(until_us, lb_server_image_poll(server, now_us));
    until_us = sooner(until_us, lb_server_isns_poll(&server->isns, now_us));
    until_us = sooner(until_us, lb_server_slp_poll(&server->slp, now_us));
    until_us = sooner(until_us, lb_server_target_poll(&server->target, now_us));
    until_us = sooner(until_us, poll_addresses(server, now_us));
    until_us = sooner(until_us, lb_server_link_watch_poll(&server->link_watch, now_us));
    until_us = sooner(until_us, poll_board(server, now_us));
    return sooner(until_us, lb_page_poll(&server->page, now_us));
}

/* The lock is held exclusively, where there are workers. */
static void enter(const struct lb_server *server) {
    if (server->target.worker_count > 0)
        lb_lock_exclusive();
}

static void leave(const struct lb_server *server) {
    if (server->target.worker_count > 0)
        lb_lock_release();
}

void lb_server_run(struct lb_server *server) {
    struct epoll_event events[EVENTS_MAX];
    uint64_t now_us = lb_now_us();
    enter(server);
    while (!server->is_over) {
        uint64_t until_us = poll_all(server, now_us);
        leave(server);
        int count =
            epoll_wait(server->epoll, events, EVENTS_MAX, lb_server_wait_ms(until_us, now_us));
        enter(server);
        now_us = lb_now_us();
        for (int i = 0; i < count; i++)
            dispatch(server, &events[i], now_us);
    }
    leave(server);
    lb_server_ending_begin(LB_SERVER_ENDING_S);
    lb_server_notify_stopping();
    lb_server_fetch_stop(&server->fetch);
    lb_server_workers_stop(&server->target);
    lb_server_say("", "ends");
}

/* ---- machines that come and go ---- */

bool lb_server_reload_dhcp(struct lb_server *server, struct lb_server_error *error) {
    uint64_t now_us = lb_now_us();
    if (server->dhcp6.source.fd >= 0 && !lb_server_dhcp6_reload(&server->dhcp6, now_us, error))
        return false;
    lb_server_routers_reload(&server->routers, &server->settings, now_us);
    return server->dhcp.source.fd < 0 || lb_server_dhcp_reload(&server->dhcp, now_us, error);
}

static bool check_address(struct lb_server *server,
                          const struct lb_server_machine_settings *machine,
                          struct lb_server_error *error) {
    const struct lb_server_link *link = &server->link;
    return (server->dhcp.source.fd < 0 ||
            lb_server_nets_check(&server->dhcp.nets, machine, link, error)) &&
           (server->dhcp6.source.fd < 0 ||
            lb_server_nets6_check(&server->dhcp6.nets, machine, link, error));
}

bool lb_server_add_section(struct lb_server *server, const struct lb_store_section *section,
                           const char *where, struct lb_server_error *error) {
    struct lb_server_settings *settings = &server->settings;
    if (!lb_server_settings_add(settings, section, where, error))
        return false;
    const struct lb_server_machine_settings *machine =
        &settings->machines[settings->machine_count - 1];
    if (lb_server_reload_dhcp(server, error) && check_address(server, machine, error) &&
        lb_server_machines_add(&server->machines, machine, error))
        return true;
    struct lb_server_error other = {0};
    settings->machine_count--;
    (void)lb_server_reload_dhcp(server, &other);
    return false;
}

void lb_server_close(struct lb_server *server) {
    lb_server_fetch_stop(&server->fetch);
    lb_server_workers_stop(&server->target);
    lb_server_held_close(&server->held);
    lb_server_control_close(&server->control);
    lb_server_say_to(NULL, false);
    lb_server_job_cancel(&server->job); /* a commit is begun again at the next start */
    lb_server_routers_close(&server->routers);
    lb_server_slp_close(&server->slp);
    lb_server_slp_close(&server->slp6);
    lb_server_isns_close(&server->isns);
    lb_server_target_close(&server->target);
    lb_page_close(&server->page);
    lb_server_fetch_close(&server->fetch);
    lb_server_folder_close(&server->folder);
    lb_server_dhcp_close(&server->dhcp);
    lb_server_dhcp6_close(&server->dhcp6);
    lb_server_link_watch_close(&server->link_watch);
    lb_server_source_close(&server->signals);
    lb_server_machines_close(&server->machines);
    lb_server_store_close(&server->store);
    if (server->files.folder >= 0)
        close(server->files.folder);
    if (server->epoll >= 0)
        close(server->epoll);
}
