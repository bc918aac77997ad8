#include "server/image_commands.h"
#include "server/lock.h"
#include "server/reload.h"
#include "server/say.h"
#include "server/workers.h"
#include <string.h>

#define MACHINES_AT_ONCE 64 /* of a list, then other threads come */

/* ---- machines ---- */

static const char *name_of(const struct lb_server_machine *machine) {
    return machine->name[0] != '\0' ? machine->name : "all";
}

/* The machine that the first word names; NULL: there is none. */
static struct lb_server_machine *find(struct lb_server_command *command) {
    char word[64];
    struct lb_text text = lb_text(word, sizeof word);
    struct lb_server_machine *machine =
        lb_server_machines_named(&command->server->machines, command->request.words[0]);
    lb_text_given(&text, command->request.words[0], 50);
    if (machine == NULL)
        lb_server_fail(&command->error, "lunbootctl list shows the machines",
                       "there is no machine %s", word);
    return machine;
}

struct use {
    size_t sessions;
    uint64_t bytes_read, bytes_written;
    struct lb_server_session_info first;
};

static struct use use_of(const struct lb_server *server, const struct lb_server_machine *machine) {
    struct use use = {0};
    struct lb_server_session_info info;
    const struct lb_server_session *at = NULL;
    while (lb_server_target_next(&server->target, machine, &at, &info)) {
        if (use.sessions++ == 0)
            use.first = info;
        use.bytes_read += info.bytes_read;
        use.bytes_written += info.bytes_written;
    }
    return use;
}

static const char *state_word(const struct lb_server_machine *machine, const struct use *use) {
    if (machine->is_busy)
        return "busy";
    if (machine->node->login_status != 0)
        return "ejected";
    return use->sessions > 0 ? "running" : "off";
}

static const char *writes_word(const struct lb_server_machine *machine) {
    static const char *const words[] = {"direct", "keep", "drop"};
    return words[machine->writes];
}

/* ---- what the board has of it ---- */

/* "reading 45%, trouble" */
static void add_stage(struct lb_text *text, const struct lb_board *board,
                      const struct lb_server_machine *machine) {
    const struct lb_board_row *row = lb_board_find(board, machine->name);
    int progress = row != NULL ? lb_board_progress(board, row) : -1;
    lb_text_add(text, "%s", row != NULL ? lb_board_state(row) : "-");
    if (progress >= 0)
        lb_text_add(text, " %d%%", progress / 10);
    if (row != NULL && row->trouble[0] != '\0')
        lb_text_add(text, ", trouble");
}

static void say_stage(struct lb_control_client *client, const struct lb_board *board,
                      const struct lb_server_machine *machine) {
    const struct lb_board_row *row = lb_board_find(board, machine->name);
    char stage[64];
    struct lb_text text = lb_text(stage, sizeof stage);
    if (row == NULL)
        return;
    add_stage(&text, board, machine);
    lb_control_say(client, ' ', "stage        %s", stage);
    if (row->rate_read + row->rate_written > 0)
        lb_control_say(client, ' ', "throughput   reads %s/s, writes %s/s",
                       lb_size_text(row->rate_read).s, lb_size_text(row->rate_written).s);
    if (row->trouble[0] == '\0')
        return;
    lb_control_say(client, ' ', "trouble      %s, %llu s ago", row->trouble,
                   (unsigned long long)(lb_server_time_ms() - row->trouble_ms) / 1000);
    if (row->hint[0] != '\0')
        lb_control_say(client, ' ', "try          %s", row->hint);
}

/* ---- JSON: an object a line ---- */

static void add_text(struct lb_text *text, const char *word, const char *value) {
    lb_text_add(text, "%s\"%s\":", text->at[text->len - 1] == '{' ? "" : ",", word);
    lb_text_json(text, lb_bytes_of_text(value));
}

static void add_number(struct lb_text *text, const char *word, uint64_t value) {
    lb_text_add(text, "%s\"%s\":%llu", text->at[text->len - 1] == '{' ? "" : ",", word,
                (unsigned long long)value);
}

static void add_board_json(const struct lb_board *board, const struct lb_server_machine *machine,
                           struct lb_text *text) {
    const struct lb_board_row *row = lb_board_find(board, machine->name);
    if (row == NULL)
        return;
    add_text(text, "stage", lb_board_state(row));
    if (lb_board_progress(board, row) >= 0)
        add_number(text, "progress-permille", (uint64_t)lb_board_progress(board, row));
    if (row->trouble[0] != '\0')
        add_text(text, "trouble", row->trouble);
    if (row->trouble[0] != '\0' && row->hint[0] != '\0')
        add_text(text, "try", row->hint);
}

static void add_machine_json(const struct lb_board *board, const struct lb_server_machine *machine,
                             const struct use *use, struct lb_text *text) {
    lb_text_add(text, " {");
    add_text(text, "machine", name_of(machine));
    if (lb_mac_is_set(machine->mac))
        add_text(text, "mac", lb_mac_text(machine->mac).s);
    add_text(text, "target", machine->node->name);
    add_text(text, "disk", machine->disk->path);
    add_number(text, "disk-bytes", machine->disk->storage.bytes);
    add_text(text, "writes", writes_word(machine));
    if (machine->is_open)
        add_number(text, "overlay-bytes", machine->overlay.overlay.here * LB_OVERLAY_BLOCK);
    if (machine->writes == LB_WRITES_DROP)
        add_number(text, "boot", machine->head.generation);
    add_text(text, "state", state_word(machine, use));
    if (machine->is_maintained)
        lb_text_add(text, ",\"maintenance\":true");
    add_number(text, "sessions", use->sessions);
    add_number(text, "read-bytes", use->bytes_read);
    add_number(text, "written-bytes", use->bytes_written);
    add_board_json(board, machine, text);
    lb_text_add(text, "}\n");
}

/* ---- list and show ---- */

static void say_machine(struct lb_server_command *command,
                        const struct lb_server_machine *machine) {
    struct use use = use_of(command->server, machine);
    const char *state = state_word(machine, &use);
    bool is_running = lb_streq(state, "running");
    const struct lb_board *board = &command->server->board;
    char wrote[32] = "-", stage[64];
    struct lb_text text = lb_text(stage, sizeof stage);
    if (command->request.is_json) {
        add_machine_json(board, machine, &use, &command->client->answer);
        return;
    }
    if (machine->is_open)
        lb_format(wrote, sizeof wrote, "%s",
                  lb_size_text(machine->overlay.overlay.here * LB_OVERLAY_BLOCK).s);
    add_stage(&text, board, machine);
    lb_control_say(command->client, ' ', "%-20s %-16s %8zu  %10s  %-20s %s", name_of(machine),
                   is_running ? lb_addr_text(use.first.client.addr).s : state, use.sessions, wrote,
                   stage, machine->disk->path);
}

static void refresh_board(struct lb_server *server) {
    lb_board_refresh(&server->board, lb_server_time_ms(), &server->machines, &server->target);
}

static void list(struct lb_server_command *command) {
    const struct lb_server_machines *machines = &command->server->machines;
    refresh_board(command->server);
    if (!command->request.is_json)
        lb_control_say(command->client, ' ', "%-20s %-16s %8s  %10s  %-20s %s", "MACHINE", "AT",
                       "SESSIONS", "OVERLAY", "STAGE", "DISK");
    for (size_t i = 0; i < machines->count; i++) {
        if (!machines->list[i].is_gone)
            say_machine(command, &machines->list[i]);
        if (i % MACHINES_AT_ONCE == MACHINES_AT_ONCE - 1)
            lb_lock_yield();
    }
}

static void say_sessions(struct lb_server_command *command,
                         const struct lb_server_machine *machine) {
    struct lb_server_session_info info;
    const struct lb_server_session *at = NULL;
    while (lb_server_target_next(&command->server->target, machine, &at, &info))
        lb_control_say(command->client, ' ', "session      %s as %s: read %s, wrote %s",
                       lb_endpoint_text(info.client).s, info.initiator,
                       lb_size_text(info.bytes_read).s, lb_size_text(info.bytes_written).s);
}

static void show(struct lb_server_command *command) {
    struct lb_control_client *client = command->client;
    struct lb_server_machine *machine = find(command);
    if (machine == NULL)
        return;
    refresh_board(command->server);
    if (command->request.is_json) {
        say_machine(command, machine);
        return;
    }
    lb_control_say(client, ' ', "machine      %s", name_of(machine));
    say_stage(client, &command->server->board, machine);
    if (lb_mac_is_set(machine->mac))
        lb_control_say(client, ' ', "mac          %s", lb_mac_text(machine->mac).s);
    lb_control_say(client, ' ', "target       %s", machine->node->name);
    lb_control_say(client, ' ', "disk         %s (%s)", machine->disk->path,
                   lb_size_text(machine->disk->storage.bytes).s);
    lb_control_say(client, ' ', "writes       %s", writes_word(machine));
    if (machine->is_open)
        lb_control_say(client, ' ', "overlay      %s",
                       lb_size_text(machine->overlay.overlay.here * LB_OVERLAY_BLOCK).s);
    if (machine->is_maintained)
        lb_control_say(client, ' ', "state        in maintenance: its boots keep what it writes");
    if (machine->node->login_status != 0)
        lb_control_say(client, ' ', "state        ejected until its next boot");
    say_sessions(command, machine);
}

/* ---- reset and eject ---- */

/* Nobody uses it now. */
static bool is_off(struct lb_server_command *command, const struct lb_server_machine *machine) {
    struct use use = use_of(command->server, machine);
    char hint[120];
    lb_format(hint, sizeof hint, "shut it down, or end its sessions: lunbootctl eject %s",
              name_of(machine));
    if (use.sessions > 0)
        return lb_server_fail(&command->error, hint, "%s is running", name_of(machine));
    return lb_server_workers_await(&command->server->target, machine) ||
           lb_server_fail(&command->error, "try again later",
                          "the disk of %s is at work, and is slow", name_of(machine));
}

static void reset(struct lb_server_command *command) {
    struct lb_server_machine *machine = find(command);
    if (machine == NULL || !is_off(command, machine) ||
        !lb_server_machine_reset(&command->server->machines, machine, &command->error))
        return;
    lb_server_say(name_of(machine), "is reset: what it has written is dropped");
}

static void eject(struct lb_server_command *command) {
    struct lb_server_machine *machine = find(command);
    if (machine == NULL)
        return;
    lb_server_say(name_of(machine), "is ejected until its next boot");
    lb_server_target_eject(&command->server->target, machine);
}

/* ---- maintenance ---- */

static void maintain(struct lb_server_command *command) {
    struct lb_server_machine *machine = find(command);
    if (machine == NULL || !is_off(command, machine) ||
        !lb_server_machine_maintain(&command->server->machines, machine, &command->error))
        return;
    lb_server_say(name_of(machine), "keeps what it writes from its next boot on");
}

static void commit(struct lb_server_command *command) {
    struct lb_server_machine *machine = find(command);
    if (machine != NULL && is_off(command, machine))
        lb_server_image_commit(command, machine);
}

/* ---- add and remove ---- */

/* The section that lunbootd.conf would have. */
static bool compose(struct lb_server_command *command, struct lb_store_section *section) {
    const struct lb_request *request = &command->request;
    struct lb_text text = lb_text(section->text, sizeof section->text);
    lb_text_add(&text, "[machine %.*s]\n", (int)request->words[0].len,
                (const char *)request->words[0].p);
    for (size_t i = 1; i < request->word_count; i++) {
        struct lb_bytes word = request->words[i];
        if (word.p[0] == '[' || word.p[0] == '#')
            return lb_server_fail(&command->error,
                                  "write it as KEY=VALUE, such as mac=52:54:00:12:34:56",
                                  "a key begins with a letter");
        lb_text_add(&text, "%.*s\n", (int)word.len, (const char *)word.p);
    }
    return (!text.cut && lb_text_copy(section->name, sizeof section->name, request->words[0])) ||
           lb_server_fail(&command->error, "give shorter values",
                          "the machine's section is too long");
}

static void add(struct lb_server_command *command) {
    struct lb_server *server = command->server;
    struct lb_store_section section;
    if (!compose(command, &section) ||
        !lb_server_add_section(server, &section, "lunbootctl add", &command->error))
        return;
    (void)lb_server_store_put_section(&server->store, &section);
    lb_server_store_flush(&server->store);
    lb_server_say(
        section.name, "is added: target %s",
        lb_server_machines_named(&server->machines, command->request.words[0])->node->name);
}

static void remove_one(struct lb_server_command *command) {
    struct lb_server *server = command->server;
    struct lb_server_machine *machine = find(command);
    struct lb_store_section section = {0};
    if (machine == NULL || !is_off(command, machine))
        return;
    if (!lb_server_settings_forget(&server->settings, machine->name, &command->error))
        return;
    memcpy(section.name, machine->name, sizeof section.name);
    (void)lb_server_store_put_section(&server->store, &section);
    lb_server_target_forget(&server->target, machine);
    lb_server_machines_forget(&server->machines, machine);
    (void)lb_server_reload_dhcp(server, &command->error);
    lb_server_store_flush(&server->store); /* without the lock */
    lb_server_say(section.name, "is removed");
}

/* ---- the page ---- */

/* The socket is its owner's alone, and so is the token. */
static void say_page(struct lb_server_command *command) {
    char url[LB_TOKEN_MAX + 100];
    struct lb_text text = lb_text(url, sizeof url);
    lb_page_url(&command->server->page, &text);
    if (text.len > 0 && command->request.is_json)
        lb_control_say(command->client, ' ', "{\"page\":\"%s\"}", url);
    else if (text.len > 0)
        lb_control_say(command->client, ' ', "%s", url);
    else
        lb_server_fail(&command->error, "see what lunbootd has printed, and its key page",
                       "lunbootd shows no page");
    lb_wipe(url, sizeof url);
}

/* ---- all of them ---- */

static void carry_out(struct lb_server_command *command) {
    switch (command->request.verb) {
    case LB_REQUEST_LIST:
        list(command);
        break;
    case LB_REQUEST_SHOW:
        show(command);
        break;
    case LB_REQUEST_RESET:
        reset(command);
        break;
    case LB_REQUEST_EJECT:
        eject(command);
        break;
    case LB_REQUEST_ADD:
        add(command);
        break;
    case LB_REQUEST_REMOVE:
        remove_one(command);
        break;
    case LB_REQUEST_PAGE:
        say_page(command);
        break;
    case LB_REQUEST_RELOAD:
        (void)lb_server_reload(command->server, &command->error);
        break;
    case LB_REQUEST_IMAGE_ADD:
    case LB_REQUEST_IMAGE_UPDATE:
        lb_server_image_import(command);
        break;
    case LB_REQUEST_IMAGE_LIST:
        lb_server_image_list(command);
        break;
    case LB_REQUEST_IMAGE_REMOVE:
        lb_server_image_remove(command);
        break;
    case LB_REQUEST_MAINTAIN:
        maintain(command);
        break;
    case LB_REQUEST_IMAGE_COMMIT:
        commit(command);
        break;
    case LB_REQUEST_COUNT:
        break;
    }
}

void lb_server_command(struct lb_server *server, struct lb_control_client *client) {
    struct lb_server_command command = {.server = server, .client = client};
    struct lb_bytes line = lb_bytes(client->line, client->line_len - 1);
    if (lb_request_parse(line, &command.request, &command.error))
        carry_out(&command);
    if (!command.is_waiting)
        lb_control_end(&server->control, client, &command.error);
}
