/* The commands of lunbootctl about images, and the long work that they begin. */
#ifndef LB_SERVER_IMAGE_COMMANDS_H
#define LB_SERVER_IMAGE_COMMANDS_H

#include "server/commands.h"

/* A command on its way to its answer. */
struct lb_server_command {
    struct lb_server *server;
    struct lb_control_client *client;
    struct lb_request request;
    struct lb_server_error error;
    bool is_waiting; /* it is answered later, when the job is over */
};

/* image add, image update: the file that came along becomes a version. */
void lb_server_image_import(struct lb_server_command *command);
/* image list. */
void lb_server_image_list(struct lb_server_command *command);
/* Removes the version that the first word names; the newest, where it names an image alone. */
void lb_server_image_remove(struct lb_server_command *command);
/* image commit: the next version is made of the machine's version and what it wrote. */
void lb_server_image_commit(struct lb_server_command *command, struct lb_server_machine *machine);
/* At the start: goes on with what a killed lunbootd has begun. */
bool lb_server_image_resume(struct lb_server *server, struct lb_server_error *error);
/* The job's event: it is over, and who waits is answered. */
void lb_server_image_made(struct lb_server *server);
/* While there is a job: who waits is told how far it is. Gives when it wants to be called again. */
uint64_t lb_server_image_poll(struct lb_server *server, uint64_t now_us);

#endif
