/* What a boot makes of an answer, told to the protocol machine that has to choose among several: to
 * the machine a Root Path is bytes. */
#ifndef LB_BASE_WORTH_H
#define LB_BASE_WORTH_H

enum lb_worth {
    LB_WORTH_UNKNOWN,  /* nobody judged it: the machine goes by the `iscsi:` of the Root Path */
    LB_WORTH_BAD,      /* its Root Path cannot be used: malformed, or not allowed */
    LB_WORTH_DOUBTFUL, /* a boot that followed it failed, its server is a name that no list has, or
                          its DHCP server did not give what it had offered before */
    LB_WORTH_PLAIN,    /* it names no disk */
    LB_WORTH_DISK,     /* it names a disk that may be used, or none is needed of it */
};

#endif
