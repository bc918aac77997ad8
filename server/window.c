#include "server/window.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

struct lb_window {
    uint8_t *bytes;
    uint64_t len;
    atomic_uchar *seen; /* a bit a page */
    atomic_size_t users;
    atomic_bool is_distrusted, is_closed;
};

static void free_window(struct lb_window *window) {
    munmap(window->bytes, (size_t)window->len);
    free(window->seen);
    free(window);
}

struct lb_window *lb_window_open(int fd, uint64_t bytes) {
    uint64_t pages = bytes / LB_WINDOW_PAGE + 1;
    struct lb_window *window = bytes <= SIZE_MAX ? calloc(1, sizeof *window) : NULL;
    if (window == NULL)
        return NULL;
    window->len = bytes;
    window->seen = calloc((size_t)(pages / 8 + 1), sizeof *window->seen);
    void *map = mmap(NULL, (size_t)bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (window->seen != NULL && map != MAP_FAILED) {
        window->bytes = map;
        return window;
    }
    if (map != MAP_FAILED)
        munmap(map, (size_t)bytes);
    free(window->seen);
    free(window);
    return NULL;
}

const uint8_t *lb_window_take(struct lb_window *window, uint64_t offset, uint64_t len) {
    lb_assert(len > 0 && offset <= window->len && len <= window->len - offset);
    if (window->is_distrusted || window->is_closed)
        return NULL;
    for (uint64_t page = offset / LB_WINDOW_PAGE; page <= (offset + len - 1) / LB_WINDOW_PAGE;
         page++)
        if ((atomic_load_explicit(&window->seen[page / 8], memory_order_relaxed) >> page % 8 & 1) ==
            0)
            return NULL;
    atomic_fetch_add(&window->users, 1);
    return window->bytes + offset;
}

void lb_window_give_back(struct lb_window *window) {
    size_t users = atomic_fetch_sub(&window->users, 1);
    lb_assert(users > 0);
    if (users == 1 && window->is_closed)
        free_window(window);
}

void lb_window_saw(struct lb_window *window, uint64_t offset, uint64_t len) {
    lb_assert(len > 0 && offset <= window->len && len <= window->len - offset);
    for (uint64_t page = offset / LB_WINDOW_PAGE; page <= (offset + len - 1) / LB_WINDOW_PAGE;
         page++)
        atomic_fetch_or_explicit(&window->seen[page / 8], (unsigned char)(1u << page % 8),
                                 memory_order_relaxed);
}

void lb_window_distrust(struct lb_window *window) {
    window->is_distrusted = true;
}

void lb_window_close(struct lb_window *window) {
    if (window == NULL)
        return;
    window->is_closed = true;
    if (window->users == 0)
        free_window(window);
}
