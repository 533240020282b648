/*
 * The processes below one: listed from /proc, and signalled.
 *
 * A listing is old once it is made: processes fork and end meanwhile. To end a tree, kill and list again until
 * nothing is left; what a killed process had becomes its subreaper's child, so each pass makes the tree flatter.
 */
#pragma once
#include <stddef.h>
#include <sys/types.h>

/* Zeroed storage is an empty list. */
struct process_list {
    pid_t *pids; /* owned */
    size_t count;
    size_t capacity;
};

/* Appends the children of all threads of `pid`. Nothing if it has gone. */
void process_tree_children(pid_t pid, struct process_list *list);

/* Sends `signal` to each process of the list, and to everything below them, which is appended to the list. */
void process_tree_signal(struct process_list *list, int signal);

/*
 * SIGKILL to each process of the list, which are children of this one, and to their process groups, unless that is
 * our own. A group is killed at one stroke: nobody in it can fork on meanwhile. All in the group of such a child
 * belong to it, as a group never reaches beyond a session, and each runner begins a session.
 */
void process_tree_kill(const struct process_list *list);

void process_list_close(struct process_list *list);
