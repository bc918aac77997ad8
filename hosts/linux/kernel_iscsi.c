#include "hosts/linux/kernel_iscsi.h"
#include "hosts/linux/machine.h"
#include "os/linux/files.h"
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ANSWER_S                                                                                   \
    10 /* the kernel answers while the request is being sent; this is for the odd one */
#define GROUP_ISCSID 1 /* of events that are for everybody: a broken connection */
#define MARK         UINT32_C(0x6b000000) /* no process, and no number that the kernel gives */
#define MARK_MASK    UINT32_C(0xff000000)
#define ROOM_BYTES   (256 << 10) /* of events, those of other sessions among them */
#define CONNECTION   0           /* the number of the session's only connection */
#define CMDS_MAX     128         /* as iscsid has it: room for commands of all LUNs together */

/* enum iscsi_uevent_e */
enum request {
    CREATE_SESSION = 11,
    DESTROY_SESSION = 12,
    CREATE_CONNECTION = 13,
    DESTROY_CONNECTION = 14,
    BIND_CONNECTION = 15,
    SET_PARAM = 16,
    START_CONNECTION = 17,
    STOP_CONNECTION = 18,
    SEND_PDU = 19,
    EVENT_PDU = 101,
    EVENT_CONNECTION_ERROR = 102,
    EVENT_REFUSED = 103, /* the answer to a request that failed */
};

/* How a connection is stopped. */
enum stop {
    STOP_FOR_GOOD = 1,
    STOP_FOR_RECOVERY = 3,
};

/* enum iscsi_param */
enum param {
    MAX_RECV_DLENGTH,
    MAX_XMIT_DLENGTH,
    HEADER_DIGEST,
    DATA_DIGEST,
    INITIAL_R2T,
    MAX_R2T,
    IMMEDIATE_DATA,
    FIRST_BURST,
    MAX_BURST,
    PDU_IN_ORDER,
    SEQUENCE_IN_ORDER,
    ERROR_RECOVERY_LEVEL,
    EXP_STAT_SN = 14,
    TARGET_NAME,
    PORTAL_GROUP,
    PERSISTENT_ADDRESS,
    PERSISTENT_PORT,
    RECOVERY_TIMEOUT,
    USERNAME = 22,
    USERNAME_IN,
    PASSWORD,
    PASSWORD_IN,
    FAST_ABORT,
    ABORT_TIMEOUT,
    LUN_RESET_TIMEOUT,
    PING_TIMEOUT = 30,
    PING_INTERVAL,
    INTERFACE_NAME,
    INITIATOR_NAME = 34,
    TARGET_RESET_TIMEOUT,
};

/* struct iscsi_uevent, in this machine's byte order. in: of the request; out: of its answer and of
 * events. Offsets are the kernel's: in at 16, out at 40, text at 56. */
struct message {
    struct nlmsghdr header;
    uint32_t type;
    int32_t refused; /* an errno, negative */
    uint64_t transport;
    union {
        uint32_t in[6];
        struct {
            uint32_t initial_cmd_sn;
            uint16_t cmds_max, queue_depth;
        } create;
        struct {
            uint32_t sid, cid;
            uint64_t fd;
            uint32_t is_leading;
        } bind;
    };
    uint32_t out[4];
    union {
        char text[1024];
        struct {
            uint8_t bhs[LB_STREAM_BHS];
            uint8_t data[LB_STREAM_LOGIN_DATA];
        } pdu;
    };
};
#define MESSAGE_BYTES offsetof(struct message, text)
_Static_assert(MESSAGE_BYTES == sizeof(struct nlmsghdr) + 56, "the kernel's layout");

uint64_t lb_kernel_lun(const uint8_t lun[8]) {
    uint64_t number = 0;
    for (unsigned i = 0; i < 8; i += 2)
        number |= (uint64_t)(lun[i] << 8 | lun[i + 1]) << i * 8;
    return number;
}

/* ---- requests -------------------------------------------------------------------------------- */

static bool refuse(struct lb_error *error, const char *what, int number) {
    lb_fail(error, LB_E_HAND_OVER, "%s: %s", what, strerror(number));
    return false;
}

static struct message message(const struct lb_kernel_iscsi *kernel, enum request type) {
    return (struct message){.header.nlmsg_len = MESSAGE_BYTES,
                            .header.nlmsg_type = (uint16_t)type,
                            .header.nlmsg_flags = NLM_F_REQUEST,
                            .type = type,
                            .transport = kernel->transport};
}

static struct message about(const struct lb_kernel_iscsi *kernel, enum request type) {
    struct message m = message(kernel, type);
    m.in[0] = kernel->sid;
    m.in[1] = CONNECTION;
    return m;
}

static void take_pdu(struct lb_kernel_pdu *pdu, const struct message *m) {
    size_t len = m->header.nlmsg_len - MESSAGE_BYTES;
    if (len < sizeof(m->pdu.bhs) || len > sizeof(m->pdu))
        return;
    pdu->len = len - sizeof(m->pdu.bhs);
    memcpy(pdu->bhs, m->pdu.bhs, sizeof(pdu->bhs));
    memcpy(pdu->data, m->pdu.data, pdu->len);
    pdu->is_there = true;
}

static void take_event(struct lb_kernel_iscsi *kernel, const struct message *m) {
    if (!kernel->has_session || m->out[0] != kernel->sid)
        return;
    if (m->type == EVENT_CONNECTION_ERROR)
        kernel->broken = m->out[2];
    if (m->type == EVENT_PDU && kernel->pdu)
        take_pdu(kernel->pdu, m);
}

/* One message of the kernel's; 0 or an errno. */
static int receive(int fd, struct message *m, int flags) {
    ssize_t got;
    *m = (struct message){0};
    do
        got = recv(fd, m, sizeof(*m), flags);
    while (got < 0 && (errno == EINTR || errno == ENOBUFS));
    if (got < 0)
        return errno;
    return m->header.nlmsg_len >= MESSAGE_BYTES && m->header.nlmsg_len <= (size_t)got ? 0 : EPROTO;
}

/* Sends, and waits for the answer, which is in *m then. 0, or the errno of what was refused. */
static int ask(struct lb_kernel_iscsi *kernel, struct message *m) {
    uint32_t type = m->type;
    if (send(kernel->fd, m, m->header.nlmsg_len, MSG_NOSIGNAL) < 0)
        return errno;
    for (;;) {
        int failed = receive(kernel->fd, m, 0);
        if (failed)
            return failed;
        if (m->type == EVENT_REFUSED)
            return m->refused < 0 ? -m->refused : EIO;
        if (m->type == type)
            return 0;
        take_event(kernel, m);
    }
}

/* ---- opening --------------------------------------------------------------------------------- */

static bool read_handle(struct lb_kernel_iscsi *kernel, const char *sysfs) {
    char path[256], text[32];
    long got;
    lb_format(path, sizeof(path), "%s/class/iscsi_transport/tcp/handle", sysfs);
    got = lb_file_read(path, lb_span(text, sizeof(text)));
    return got > 0 &&
           lb_parse_u64(lb_bytes_trim(lb_bytes(text, (size_t)got)), UINT64_MAX, &kernel->transport);
}

bool lb_kernel_iscsi_is_ours(uint32_t port) {
    return (port & MARK_MASK) == MARK;
}

/* By number; where another process has it (of another PID namespace), by one of the kernel's. */
static bool bind_netlink(int fd) {
    struct sockaddr_nl address = {.nl_family = AF_NETLINK,
                                  .nl_pid = MARK | ((uint32_t)getpid() & ~MARK_MASK),
                                  .nl_groups = GROUP_ISCSID};
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return true;
    address.nl_pid = 0;
    return bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

static int open_netlink(void) {
    struct timeval patience = {.tv_sec = ANSWER_S};
    int error, room = ROOM_BYTES, fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ISCSI);
    if (fd < 0)
        return -1;
    /* Where this is refused the usual room must do. */
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
    if (bind_netlink(fd) &&
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0)
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

bool lb_kernel_iscsi_open(struct lb_kernel_iscsi *kernel, const char *sysfs,
                          struct lb_error *error) {
    *kernel = (struct lb_kernel_iscsi){.fd = -1};
    if (!read_handle(kernel, sysfs)) {
        lb_fail(error, LB_E_HAND_OVER, "the kernel has no iSCSI initiator (module iscsi_tcp)");
        return false;
    }
    kernel->fd = open_netlink();
    return kernel->fd >= 0 || refuse(error, "opening NETLINK_ISCSI", errno);
}

void lb_kernel_iscsi_close(struct lb_kernel_iscsi *kernel) {
    if (kernel->fd >= 0)
        close(kernel->fd);
    kernel->fd = -1;
}

/* ---- parameters ------------------------------------------------------------------------------ */

/* What is known as text; ENOSYS of an older kernel for one of these does no harm. */
static bool set_text(struct lb_kernel_iscsi *kernel, enum param param, struct lb_bytes value,
                     struct lb_error *error) {
    struct message m = about(kernel, SET_PARAM);
    char what[48];
    int refused;

    if (value.len == 0)
        return true;
    lb_assert(value.len < sizeof(m.text));
    memcpy(m.text, value.p, value.len);
    m.in[2] = param;
    m.in[3] = (uint32_t)value.len + 1;
    m.header.nlmsg_len += m.in[3];
    refused = ask(kernel, &m);
    lb_wipe(&m, sizeof(m));
    if (refused == 0 || refused == ENOSYS)
        return true;
    lb_format(what, sizeof(what), "setting parameter %d of the session", param);
    return refuse(error, what, refused);
}

static bool set_string(struct lb_kernel_iscsi *kernel, enum param param, const char *value,
                       struct lb_error *error) {
    return set_text(kernel, param, lb_bytes_of_text(value), error);
}

static bool set_number(struct lb_kernel_iscsi *kernel, enum param param, uint32_t value,
                       struct lb_error *error) {
    char text[16];
    lb_format(text, sizeof(text), "%u", value);
    return set_string(kernel, param, text, error);
}

/* Digests come first: from now on the kernel may read what the target says on its own. */
static bool set_agreed(struct lb_kernel_iscsi *kernel, const struct lb_initiator_standing *standing,
                       struct lb_error *error) {
    const struct lb_initiator_agreed *agreed = standing->agreed;
    const struct {
        enum param param;
        uint32_t value;
    } numbers[] = {
        {HEADER_DIGEST, agreed->header_digest},
        {DATA_DIGEST, agreed->data_digest},
        {EXP_STAT_SN, standing->exp_stat_sn},
        {MAX_RECV_DLENGTH, standing->max_recv_data},
        {MAX_XMIT_DLENGTH, agreed->max_send_data},
        {INITIAL_R2T, agreed->initial_r2t},
        {MAX_R2T, agreed->max_outstanding_r2t},
        {IMMEDIATE_DATA, agreed->immediate_data},
        {FIRST_BURST, LB_MIN(agreed->first_burst, agreed->max_burst)},
        {MAX_BURST, agreed->max_burst},
        {PDU_IN_ORDER, 1},
        {SEQUENCE_IN_ORDER, 1},
        {ERROR_RECOVERY_LEVEL, 0},
        {PORTAL_GROUP, agreed->tpgt},
    };
    for (size_t i = 0; i < LB_COUNT(numbers); i++) {
        if (!set_number(kernel, numbers[i].param, numbers[i].value, error))
            return false;
    }
    return true;
}

/* iscsid logs in with these when the connection was lost. Its format has no place for a NUL. */
static bool set_chap(struct lb_kernel_iscsi *kernel, const struct lb_initiator_standing *standing,
                     struct lb_error *error) {
    const struct lb_initiator_config *c = standing->config;
    bool is_mutual = standing->agreed->mutual;
    const char *target = c->chap_target_name[0] ? c->chap_target_name : standing->chap_target_name;
    if (!standing->agreed->chap)
        return true;
    return set_string(kernel, USERNAME, c->chap_name, error) &&
           set_text(kernel, PASSWORD, lb_bytes(c->chap_secret, c->chap_secret_len), error) &&
           (!is_mutual || set_string(kernel, USERNAME_IN, target, error)) &&
           (!is_mutual ||
            set_text(kernel, PASSWORD_IN,
                     lb_bytes(c->chap_target_secret, c->chap_target_secret_len), error));
}

/* The timeouts are iscsid's defaults, but for the kernel's own pings, which iscsid switches on when
 * it adopts the session. */
static bool set_rest(struct lb_kernel_iscsi *kernel, const struct lb_initiator_standing *standing,
                     const struct lb_kernel_iscsi_settings *settings, struct lb_error *error) {
    bool has_address = lb_addr_is_set(standing->home.addr);
    struct lb_addr_text address = lb_addr_text(standing->home.addr);
    return set_string(kernel, TARGET_NAME, standing->config->target, error) &&
           set_string(kernel, INITIATOR_NAME, standing->config->initiator, error) &&
           set_string(kernel, PERSISTENT_ADDRESS, has_address ? address.s : standing->home_host,
                      error) &&
           set_number(kernel, PERSISTENT_PORT, standing->home.port, error) &&
           set_chap(kernel, standing, error) &&
           set_string(kernel, INTERFACE_NAME, "default", error) &&
           set_number(kernel, FAST_ABORT, 1, error) &&
           set_number(kernel, ABORT_TIMEOUT, 15, error) &&
           set_number(kernel, LUN_RESET_TIMEOUT, 30, error) &&
           set_number(kernel, TARGET_RESET_TIMEOUT, 30, error) &&
           set_number(kernel, PING_TIMEOUT, settings->ping_s, error) &&
           set_number(kernel, PING_INTERVAL, settings->ping_s, error) &&
           set_number(kernel, RECOVERY_TIMEOUT, settings->recovery_s, error);
}

/* ---- taking over ----------------------------------------------------------------------------- */

static bool create(struct lb_kernel_iscsi *kernel, uint32_t cmd_sn, uint32_t queue_depth,
                   struct lb_error *error) {
    struct message m = message(kernel, CREATE_SESSION);
    int refused;

    m.create.initial_cmd_sn = cmd_sn;
    m.create.cmds_max = queue_depth > CMDS_MAX / 2 ? 4 * CMDS_MAX : CMDS_MAX;
    m.create.queue_depth = (uint16_t)queue_depth;
    refused = ask(kernel, &m);
    if (refused)
        return refuse(error, "making a session", refused);
    kernel->sid = m.out[0];
    kernel->host = m.out[1];
    kernel->has_session = true;
    m = about(kernel, CREATE_CONNECTION);
    refused = ask(kernel, &m);
    if (refused)
        return refuse(error, "making a connection", refused);
    kernel->has_connection = true;
    return true;
}

/* Answers that have a result besides. */
static int ask_result(struct lb_kernel_iscsi *kernel, struct message *m) {
    int refused = ask(kernel, m);
    if (refused == 0 && m->out[0] != 0)
        refused = -(int32_t)m->out[0];
    return refused;
}

bool lb_kernel_iscsi_bind(struct lb_kernel_iscsi *kernel, int fd, struct lb_error *error) {
    struct message m = about(kernel, BIND_CONNECTION);
    int refused;

    m.bind.fd = (uint64_t)fd;
    m.bind.is_leading = 1;
    refused = ask_result(kernel, &m);
    if (refused)
        return refuse(error, "giving the connection to the kernel", refused);
    kernel->is_bound = true;
    return true;
}

static bool start(struct lb_kernel_iscsi *kernel, struct lb_error *error) {
    struct message m = about(kernel, START_CONNECTION);
    int refused = ask_result(kernel, &m);
    return refused == 0 || refuse(error, "starting the connection", refused);
}

bool lb_kernel_iscsi_resume(struct lb_kernel_iscsi *kernel,
                            const struct lb_initiator_standing *standing,
                            const struct lb_kernel_iscsi_settings *settings,
                            struct lb_error *error) {
    return set_agreed(kernel, standing, error) && set_rest(kernel, standing, settings, error) &&
           start(kernel, error);
}

bool lb_kernel_iscsi_take(struct lb_kernel_iscsi *kernel, int fd,
                          const struct lb_initiator_standing *standing,
                          const struct lb_kernel_iscsi_settings *settings, struct lb_error *error) {
    return create(kernel, standing->cmd_sn, settings->queue_depth, error) &&
           lb_kernel_iscsi_bind(kernel, fd, error) &&
           lb_kernel_iscsi_resume(kernel, standing, settings, error);
}

/* ---- logging in again ------------------------------------------------------------------------ */

void lb_kernel_iscsi_own(struct lb_kernel_iscsi *kernel, uint32_t sid) {
    kernel->sid = sid;
    kernel->has_session = kernel->has_connection = kernel->is_bound = true;
}

bool lb_kernel_iscsi_stop(struct lb_kernel_iscsi *kernel, struct lb_error *error) {
    struct message m = about(kernel, STOP_CONNECTION);
    int refused;
    m.in[4] = STOP_FOR_RECOVERY;
    refused = ask(kernel, &m);
    kernel->broken = 0;
    return refused == 0 || refuse(error, "stopping the connection", refused);
}

bool lb_kernel_iscsi_send(struct lb_kernel_iscsi *kernel, const uint8_t bhs[LB_STREAM_BHS],
                          struct lb_bytes data, struct lb_error *error) {
    struct message m = about(kernel, SEND_PDU);
    int refused;
    lb_assert(data.len <= sizeof(m.pdu.data));
    memcpy(m.pdu.bhs, bhs, sizeof(m.pdu.bhs));
    memcpy(m.pdu.data, data.p, data.len);
    m.in[2] = sizeof(m.pdu.bhs);
    m.in[3] = (uint32_t)data.len;
    m.header.nlmsg_len += (uint32_t)(sizeof(m.pdu.bhs) + data.len);
    refused = ask_result(kernel, &m);
    lb_wipe(&m, sizeof(m)); /* an answer of CHAP */
    return refused == 0 || refuse(error, "sending a PDU", refused);
}

/* ---- events, and the end --------------------------------------------------------------------- */

bool lb_kernel_iscsi_look(struct lb_kernel_iscsi *kernel) {
    struct message m;
    while (receive(kernel->fd, &m, MSG_DONTWAIT) == 0)
        take_event(kernel, &m);
    return kernel->broken == 0;
}

void lb_kernel_iscsi_undo(struct lb_kernel_iscsi *kernel) {
    struct message m = about(kernel, STOP_CONNECTION);
    m.in[4] = STOP_FOR_GOOD;
    if (kernel->is_bound)
        (void)ask(kernel, &m);
    m = about(kernel, DESTROY_CONNECTION);
    if (kernel->has_connection)
        (void)ask(kernel, &m);
    m = about(kernel, DESTROY_SESSION);
    if (kernel->has_session)
        (void)ask(kernel, &m);
    kernel->has_session = kernel->has_connection = kernel->is_bound = false;
    kernel->broken = 0;
}
