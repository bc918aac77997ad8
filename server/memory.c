#include "server/memory.h"
#include <stdlib.h>

#define STAGING_BYTES 65536                    /* where there is enough */
#define WORK_BYTES    LB_TARGET_WORK_BYTES(64) /* for the window that nodes have */

_Static_assert(LB_ISCSI_RX_MIN + WORK_BYTES + LB_TARGET_TEXT_BYTES + sizeof(struct lb_target_conn) +
                       4096 <=
                   LB_BUDGET_EACH - LB_BUDGET_OWN,
               "what is reserved for a session is enough");

/* ---- rooms ---- */

static size_t room_bytes(struct lb_server_memory *memory, enum lb_target_role role) {
    if (role == LB_TARGET_WORK)
        return WORK_BYTES;
    if (role == LB_TARGET_TEXT)
        return LB_TARGET_TEXT_BYTES;
    memory->staging =
        lb_budget_borrow(memory->budget, &memory->share, STAGING_BYTES - LB_ISCSI_RX_MIN);
    return LB_ISCSI_RX_MIN + memory->staging.bytes;
}

/* Whose memory it is that waits no more. */
static struct lb_server_memory *woken(struct lb_budget_share *waiter) {
    struct lb_server_memory *memory = (struct lb_server_memory *)(void *)waiter; /* first in it */
    if (memory != NULL)
        memory->has_more = true;
    return memory;
}

bool lb_server_memory_lend_room(struct lb_server_memory *memory, struct lb_target_conn *conn,
                                uint64_t now_us, enum lb_target_role role) {
    size_t bytes = room_bytes(memory, role);
    uint8_t *room = malloc(bytes);
    if (room == NULL)
        return false;
    lb_budget_room(memory->budget,
                   (int64_t)(bytes - (role == LB_TARGET_STAGING ? memory->staging.bytes : 0)));
    lb_target_lend(conn, now_us, role, lb_span(room, bytes));
    return true;
}

struct lb_server_memory *lb_server_memory_take_back_rooms(struct lb_server_memory *memory,
                                                          struct lb_target_conn *conn) {
    struct lb_budget_share *waiter = NULL;
    for (int role = 0; role < LB_TARGET_ROLES; role++) {
        struct lb_span room = lb_target_take_back(conn, (enum lb_target_role)role);
        free(room.p);
        if (role == LB_TARGET_STAGING && room.p != NULL) {
            waiter = lb_budget_give_back(memory->budget, &memory->share, memory->staging);
            room.len -= memory->staging.bytes; /* the rest is of what was reserved */
            memory->staging = (struct lb_budget_grant){0};
        }
        lb_budget_room(memory->budget, -(int64_t)room.len);
    }
    return woken(waiter);
}

void lb_server_memory_move(struct lb_server_memory *memory, const struct lb_target_conn *conn,
                           struct lb_budget *budget) {
    uint64_t rooms = conn->stream.rx.len + (conn->work != NULL ? conn->work_len : 0) +
                     (conn->text != NULL ? conn->text_len : 0);
    lb_budget_move(memory->budget, budget, &memory->share, rooms);
    memory->budget = budget;
}

/* ---- buffers ---- */

static struct lb_server_buffer *add(struct lb_server_memory *memory, size_t bytes) {
    struct lb_server_buffer *buffer = malloc(sizeof *buffer + bytes);
    if (buffer == NULL)
        return NULL;
    *buffer = (struct lb_server_buffer){.next = memory->buffers, .before = &memory->buffers};
    if (buffer->next != NULL)
        buffer->next->before = &buffer->next;
    memory->buffers = buffer;
    return buffer;
}

struct lb_server_buffer *lb_server_memory_show(struct lb_server_memory *memory,
                                               struct lb_window *window) {
    struct lb_server_buffer *buffer = add(memory, 0);
    if (buffer == NULL)
        lb_window_give_back(window);
    else
        buffer->window = window;
    return buffer;
}

struct lb_server_buffer *lb_server_memory_lend(struct lb_server_memory *memory, uint32_t len,
                                               bool is_piece, bool is_read) {
    struct lb_budget_grant grant = lb_budget_take(memory->budget, &memory->share, len, is_piece);
    struct lb_server_buffer *buffer = grant.bytes > 0 ? add(memory, grant.bytes) : NULL;
    if (buffer == NULL) {
        (void)lb_budget_give_back(memory->budget, &memory->share, grant);
        return NULL;
    }
    buffer->grant = grant;
    buffer->is_read = is_read;
    memory->reads += is_read;
    return buffer;
}

struct lb_server_memory *lb_server_memory_take_back(struct lb_server_memory *memory,
                                                    struct lb_server_buffer *buffer) {
    struct lb_budget_share *waiter =
        lb_budget_give_back(memory->budget, &memory->share, buffer->grant);
    memory->reads -= buffer->is_read;
    memory->has_more |= buffer->grant.bytes > 0;
    *buffer->before = buffer->next;
    if (buffer->next != NULL)
        buffer->next->before = buffer->before;
    if (buffer->window != NULL)
        lb_window_give_back(buffer->window);
    free(buffer);
    return woken(waiter);
}
