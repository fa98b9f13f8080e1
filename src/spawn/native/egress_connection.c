#include "egress_state.h"
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

void egress_set_interest(struct forwarder *forwarder, struct endpoint *endpoint, uint32_t interest) {
  if (endpoint->fd < 0 || endpoint->interest == interest) return;
  struct epoll_event event = {.events = interest, .data.ptr = endpoint};
  /* One without interest would still report hang-ups, again and again. */
  int operation = interest == 0 ? EPOLL_CTL_DEL : endpoint->interest == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  if (epoll_ctl(forwarder->epoll, operation, endpoint->fd, &event) == 0) endpoint->interest = interest;
}

void egress_close_endpoint(struct forwarder *forwarder, struct endpoint *endpoint) {
  egress_set_interest(forwarder, endpoint, 0);
  close_fd(&endpoint->fd);
  endpoint->interest = 0;
}

void egress_accept_while_room(struct forwarder *forwarder) {
  egress_set_interest(forwarder, &forwarder->listener, forwarder->count < forwarder->count_max ? EPOLLIN : 0);
}

/* Freed after the events at hand, which may name it. */
void egress_end(struct forwarder *forwarder, struct connection *connection) {
  if (connection->dead) return;
  connection->dead = true;
  egress_close_endpoint(forwarder, &connection->client);
  egress_close_endpoint(forwarder, &connection->server);
  egress_close_endpoint(forwarder, &connection->lookup_end);
}

void egress_free_dead(struct forwarder *forwarder) {
  for (struct connection *next, *connection = forwarder->connections; connection != NULL; connection = next) {
    next = connection->next;
    if (!connection->dead) continue;
    if (next != NULL) next->previous = connection->previous;
    if (connection->previous != NULL) connection->previous->next = next;
    else forwarder->connections = next;
    free(connection);
    forwarder->count--;
  }
  egress_accept_while_room(forwarder);
}

void egress_accept(struct forwarder *forwarder) {
  int fd = accept4(forwarder->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  struct connection *connection = calloc(1, sizeof *connection);
  if (connection == NULL) {
    close(fd);
    return;
  }
  connection->client = (struct endpoint){END_CLIENT, fd, 0, connection};
  connection->server = (struct endpoint){END_SERVER, -1, 0, connection};
  connection->lookup_end = (struct endpoint){END_LOOKUP, -1, 0, connection};
  connection->deadline = boottime_ms() + REQUEST_MAX_MS;
  connection->next = forwarder->connections;
  if (connection->next != NULL) connection->next->previous = connection;
  forwarder->connections = connection;
  forwarder->count++;
  egress_set_interest(forwarder, &connection->client, EPOLLIN);
  egress_accept_while_room(forwarder);
}
