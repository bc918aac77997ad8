/* What lunbootctl asks of lunbootd, over a UNIX socket that its owner alone may open.
 *
 * A request is one line: words with a tab between them. The first says how the answer is to look,
 * `text` or `json`; the second and third are the command; the rest is its own. A file comes along
 * as an open file descriptor, so that lunbootd needs no permission to open it.
 *
 * The answer is lines, each with a sign before it: ' ' output, '%' progress, '!' what is wrong,
 * '?' what to try, '.' all went well. After '!' or '.' (and its '?') the connection is closed. */
#ifndef LB_SERVER_REQUEST_H
#define LB_SERVER_REQUEST_H

#include "server/settings.h"

#define LB_REQUEST_MAX   2048 /* bytes of a line */
#define LB_REQUEST_WORDS 16   /* of a command, at most */

/* X(name, words, least and most words after them, "what follows", "sentence") */
#define LB_REQUEST_VERBS(X)                                                                        \
    X(LIST, "list", 0, 0, "", "The machines, their disks and their sessions.")                     \
    X(SHOW, "show", 1, 1, "MACHINE", "All that is known of one machine.")                          \
    X(RESET, "reset", 1, 1, "MACHINE", "Drop what it has written; it must not be running.")        \
    X(EJECT, "eject", 1, 1, "MACHINE",                                                             \
      "End its sessions; it gets its disk again at its next boot.")                                \
    X(ADD, "add", 2, 10, "MACHINE KEY=VALUE...",                                                   \
      "Serve a machine that lunbootd.conf does not have; keys are those of its sections.")         \
    X(REMOVE, "remove", 1, 1, "MACHINE",                                                           \
      "Forget a machine that was added; it must not be running.")                                  \
    X(PAGE, "page", 0, 0, "", "The address of the web page, with the token that opens it.")        \
    X(RELOAD, "reload", 0, 0, "", "Read lunbootd.conf again; what runs goes on.")                  \
    X(IMAGE_ADD, "image add", 1, 1, "FILE [NAME]", "Make the first version of an image.")          \
    X(IMAGE_UPDATE, "image update", 1, 1, "FILE [NAME]",                                           \
      "Make its next version: running machines keep theirs, new boots get the newest.")            \
    X(IMAGE_LIST, "image list", 0, 0, "", "The versions, and how many machines have each.")        \
    X(IMAGE_REMOVE, "image remove", 1, 1, "NAME|NAME@VERSION",                                     \
      "Remove a version, the newest where none is named; no machine may have it.")                 \
    X(MAINTAIN, "maintain", 1, 1, "MACHINE",                                                       \
      "From its next boot on it keeps what it writes, until a commit or a reset.")                 \
    X(IMAGE_COMMIT, "image commit", 1, 1, "MACHINE",                                               \
      "Make the next version of its image of what it has written; it must not be running.")

#define LB_REQUEST_ENUM(name, ...) LB_REQUEST_##name,
enum lb_request_verb { LB_REQUEST_VERBS(LB_REQUEST_ENUM) LB_REQUEST_COUNT };

struct lb_request {
    bool is_json;
    enum lb_request_verb verb;
    struct lb_bytes words[LB_REQUEST_WORDS]; /* after the command; they lie in the line */
    size_t word_count;
};

/* Reads a line, without its end. False: see error; *request is untouched. */
bool lb_request_parse(struct lb_bytes line, struct lb_request *request,
                      struct lb_server_error *error);
/* A command, for its documentation; the texts are constants. */
struct lb_request_info {
    const char *words, *form, *sentence;
};
/* The command of this number, from 0 on. False: there are no more. */
bool lb_request_info(size_t number, struct lb_request_info *info);
/* Adds a line for each command: its words, what follows, its sentence. */
void lb_request_help(struct lb_text *text);

#endif
