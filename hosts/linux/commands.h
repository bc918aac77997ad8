/* A file a command; each gives the exit code. argv[0] is the command's name. */
#ifndef LB_LINUX_COMMANDS_H
#define LB_LINUX_COMMANDS_H

int lb_cmd_boot(int argc, char **argv);
int lb_cmd_probe(int argc, char **argv);
int lb_cmd_discover(int argc, char **argv);
int lb_cmd_read(int argc, char **argv);
int lb_cmd_rootpath(int argc, char **argv);
int lb_cmd_explain(int argc, char **argv);
int lb_cmd_initramfs(int argc, char **argv);
int lb_cmd_keys(int argc, char **argv);

#endif
