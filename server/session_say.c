/* What is told of a session. */
#include "server/session.h"
#include <errno.h>
#include <string.h>

struct lb_event lb_session_event(const struct lb_server_session *session, enum lb_event_kind kind) {
    return (struct lb_event){
        .kind = kind,
        .machine = session->machine != NULL ? session->machine->name : NULL,
        .address = session->client.addr,
    };
}

void lb_session_warn_of_sharing(const struct lb_server_session *session) {
    const struct lb_server_machine *machine = session->machine;
    if (machine->writes != LB_WRITES_DIRECT || machine->disk->storage.read_only)
        return;
    for (const struct lb_server_session *at = session->target->sessions; at != NULL; at = at->next)
        if (at != session && at->machine == machine && !at->is_gone &&
            !lb_streq(lb_target_initiator(&at->conn), lb_target_initiator(&session->conn)))
            lb_server_say(lb_addr_text(session->client.addr).s,
                          "WARNING: %s has the same disk, and both may write it: "
                          "see --writes=keep and --read-only",
                          lb_addr_text(at->client.addr).s);
}

void lb_session_say_end(const struct lb_server_session *session) {
    const char *reason = lb_target_reason(&session->conn);
    struct lb_event event =
        lb_session_event(session, session->machine != NULL ? LB_EVENT_END : LB_EVENT_NOTE);
    event.bytes_read = session->bytes_read;
    event.bytes_written = session->bytes_written;
    if (session->has_said_login) {
        lb_server_tell(&event, "%s; it read %s and wrote %s",
                       reason[0] != '\0' ? reason : "the connection is gone",
                       lb_size_text(session->bytes_read).s, lb_size_text(session->bytes_written).s);
        return;
    }
    if (reason[0] != '\0' || lb_target_initiator(&session->conn)[0] != '\0')
        event.kind = LB_EVENT_TROUBLE; /* else somebody tried the port */
    lb_server_tell(&event, "no login%s%s: %s", lb_target_initiator(&session->conn)[0] ? " of " : "",
                   lb_target_initiator(&session->conn),
                   reason[0] != '\0' ? reason : "the connection is gone");
}

void lb_session_say_error(const struct lb_server_session *session, enum lb_storage_op op,
                          int error) {
    struct lb_event event = lb_session_event(session, LB_EVENT_TROUBLE);
    bool is_full = error == ENOSPC;
    if (is_full)
        event.hint =
            "lunbootctl reset, a higher overlay-limit, or room on the disk of the overlays";
    lb_server_tell(&event, "the disk cannot be %s: %s", op == LB_STORAGE_READ ? "read" : "written",
                   is_full ? "there is no room for what it writes" : strerror(error));
}
