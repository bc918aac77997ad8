/* What systemd is told (sd_notify(3)), without its library: a datagram to $NOTIFY_SOCKET. Where
 * that is not set, nothing happens. */
#ifndef LB_SERVER_NOTIFY_H
#define LB_SERVER_NOTIFY_H

/* READY=1, and one line of what is served: STATUS=. */
void lb_server_notify_ready(const char *status) __attribute__((nonnull));
/* One line of how it is: STATUS=. */
void lb_server_notify_status(const char *status) __attribute__((nonnull));
/* RELOADING=1 with the time, as Type=notify-reload asks for; lb_server_notify_ready ends it. */
void lb_server_notify_reloading(void);
/* STOPPING=1. */
void lb_server_notify_stopping(void);

#endif
