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

/* What to try where a login was refused for this reason; NULL: nothing is known. */
static const char *login_hint(const char *reason) {
    static const struct {
        enum lb_iscsi_login_status status;
        const char *hint;
    } rows[] = {
        {LB_LOGIN_AUTH_FAILED, "compare chap-name and chap-secret with what the machine has; "
                               "chap = no in its section lets it in without"},
        {LB_LOGIN_NOT_AUTHORISED,
         "initiator = that name in the section of its machine, or leave initiator out there"},
        {LB_LOGIN_NOT_FOUND, "lunbootctl list for the machines there are; one that boots anew is "
                             "told its target by DHCP"},
        {LB_LOGIN_REMOVED, "let it boot anew: it is told its target by DHCP"},
        {LB_LOGIN_UNAVAILABLE, "let it boot anew: its disk was taken away"},
        {LB_LOGIN_NO_RESOURCES, "fewer machines at once, or more memory for lunbootd"},
    };
    if (reason[0] == '\0')
        return "look at the machine: it ended the login itself, such as for our chap-target-secret";
    for (size_t i = 0; i < LB_COUNT(rows); i++)
        if (lb_streq(reason, lb_iscsi_login_status_word(rows[i].status)))
            return rows[i].hint;
    return NULL;
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
    event.hint = event.kind == LB_EVENT_TROUBLE ? login_hint(reason) : NULL;
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
