#include "server/token.h"
#include "core/crypto/crypto.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_fit(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~+/=", c) != NULL);
}

bool lb_token_parse(struct lb_bytes text, struct lb_token *token) {
    text = lb_bytes_trim(text);
    for (size_t i = 0; i < text.len; i++)
        if (!is_fit(text.p[i]))
            return false;
    if (text.len < LB_TOKEN_MIN || text.len > LB_TOKEN_MAX)
        return false;
    return lb_text_copy(token->text, sizeof token->text, text);
}

static bool fail(struct lb_server_error *error, const char *path, const char *why) {
    return lb_server_fail(error, "give a file that lunbootd may read, or leave the key out",
                          "the token %s cannot be read: %s", path, why);
}

/* False: see errno. EEXIST: there is a file. */
static bool make(const char *path) {
    uint8_t bytes[32];
    char line[2 * sizeof bytes + 2];
    struct lb_text text = lb_text(line, sizeof line);
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return false;
    lb_text_hex(&text, lb_bytes(bytes, sizeof bytes));
    lb_text_add(&text, "\n");
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool is_made = fd >= 0 && write(fd, line, text.len) == (ssize_t)text.len && fsync(fd) == 0;
    int code = errno;
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && !is_made)
        (void)unlink(path);
    lb_wipe(bytes, sizeof bytes);
    lb_wipe(line, sizeof line);
    errno = code;
    return is_made;
}

bool lb_token_load(struct lb_token *token, const char *path, bool makes,
                   struct lb_server_error *error) {
    char room[LB_TOKEN_MAX + 64];
    struct stat status;
    if (makes && !make(path) && errno != EEXIST)
        return lb_server_fail(error, LB_SERVER_STATE_HINT, "the token %s cannot be made: %s", path,
                              strerror(errno));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 || fstat(fd, &status) < 0 ? -1 : read(fd, room, sizeof room);
    int code = errno;
    if (fd >= 0)
        close(fd);
    if (len < 0)
        return fail(error, path, strerror(code));
    if ((status.st_mode & (S_IRWXO | S_IWGRP)) != 0)
        return lb_server_fail(error, "chmod 600", "the token %s: others can read or change it",
                              path);
    bool is_read = lb_token_parse(lb_bytes(room, (size_t)len), token);
    lb_wipe(room, sizeof room);
    return is_read ||
           lb_server_fail(error, "write one line of 16 to 128 letters and digits into it",
                          "the token %s cannot be used", path);
}

bool lb_token_opens(const struct lb_token *token, struct lb_bytes header, const char *password) {
    struct lb_bytes own = lb_bytes_of_text(token->text), shown = lb_bytes(NULL, 0);
    if (password != NULL)
        shown = lb_bytes_of_text(password);
    else if (lb_text_begins(header, "bearer "))
        shown = lb_bytes_trim(lb_bytes_after(header, 7));
    return own.len >= LB_TOKEN_MIN && lb_equal_secret(own, shown);
}
