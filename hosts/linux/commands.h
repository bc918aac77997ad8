/* A file a command; each gives the exit code. argv[0] is the command's name. */
#ifndef LB_LINUX_COMMANDS_H
#define LB_LINUX_COMMANDS_H

/* Boots from the disk, then does what --then says: report, attach, kexec or a program. */
int lb_cmd_boot(int argc, char **argv);
/* A dry run: DHCP offers, the disk and its partitions, as text or JSON. */
int lb_cmd_probe(int argc, char **argv);
/* What discovery finds, as text or JSON; no disk is used. */
int lb_cmd_discover(int argc, char **argv);
/* Copies blocks of the disk to standard output or a file. */
int lb_cmd_read(int argc, char **argv);
int lb_cmd_rootpath(int argc, char **argv); /* explains a Root Path, or says where it is wrong */
int lb_cmd_explain(int argc, char **argv);  /* explains an error word; without one lists them all */
/* Attaches the disk in an initramfs, where `enable` is set; else does nothing and succeeds. */
int lb_cmd_initramfs(int argc, char **argv);
/* Explains a key of the configuration; without one lists them all. */
int lb_cmd_keys(int argc, char **argv);

#endif
