/* The least a voice fan-out costs on this kernel: each datagram that comes in goes out to every port named on standard
 * input, sealed with that listener's own AES-256-GCM key, by sendmmsg. Prints its own port first. Ends with its input. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADER 12
#define TAG 16
#define LARGEST 1500
#define AT_ONCE 64

typedef struct {
    struct sockaddr_in address;
    EVP_CIPHER_CTX *cipher;
    uint32_t sent;
} listener;

static size_t seal(listener *to, const uint8_t *packet, size_t size, uint8_t *out) {
    uint8_t nonce[12] = {0};
    int done, last;
    to->sent++;
    memcpy(nonce + 8, &to->sent, sizeof to->sent);
    memcpy(out, packet, HEADER);
    out[2] = to->sent >> 8;
    out[3] = to->sent & 255;
    EVP_EncryptInit_ex(to->cipher, NULL, NULL, NULL, nonce);
    EVP_EncryptUpdate(to->cipher, NULL, &done, out, HEADER);
    EVP_EncryptUpdate(to->cipher, out + HEADER, &done, packet + HEADER, (int)(size - HEADER));
    EVP_EncryptFinal_ex(to->cipher, out + HEADER + done, &last);
    EVP_CIPHER_CTX_ctrl(to->cipher, EVP_CTRL_AEAD_GET_TAG, TAG, out + size);
    return size + TAG;
}

static void fan_out(int fd, listener *all, int count, const uint8_t *packet, size_t size) {
    static uint8_t sealed[AT_ONCE][LARGEST + TAG];
    struct iovec parts[AT_ONCE];
    struct mmsghdr batch[AT_ONCE];
    for (int first = 0; first < count; first += AT_ONCE) {
        int some = count - first < AT_ONCE ? count - first : AT_ONCE;
        memset(batch, 0, sizeof batch);
        for (int i = 0; i < some; i++) {
            listener *to = &all[first + i];
            parts[i].iov_base = sealed[i];
            parts[i].iov_len = seal(to, packet, size, sealed[i]);
            batch[i].msg_hdr.msg_name = &to->address;
            batch[i].msg_hdr.msg_namelen = sizeof to->address;
            batch[i].msg_hdr.msg_iov = &parts[i];
            batch[i].msg_hdr.msg_iovlen = 1;
        }
        sendmmsg(fd, batch, some, 0);
    }
}

int main(int argc, char **argv) {
    int count = argc > 1 ? atoi(argv[1]) : 0, fd = socket(AF_INET, SOCK_DGRAM, 0), buffer = 4 << 20;
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof own;
    listener *all = calloc(count > 0 ? count : 1, sizeof *all);
    if (count < 1 || !all || bind(fd, (struct sockaddr *)&own, size) || getsockname(fd, (struct sockaddr *)&own, &size))
        return 1;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    printf("%d\n", ntohs(own.sin_port));
    fflush(stdout);
    for (int i = 0; i < count; i++) {
        uint8_t key[32];
        int port;
        if (scanf("%d", &port) != 1) return 1;
        for (size_t k = 0; k < sizeof key; k++) key[k] = (uint8_t)rand();
        all[i].address = own;
        all[i].address.sin_port = htons((uint16_t)port);
        all[i].cipher = EVP_CIPHER_CTX_new();
        EVP_EncryptInit_ex(all[i].cipher, EVP_aes_256_gcm(), NULL, key, NULL);
    }
    struct pollfd waits[2] = {{.fd = fd, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
    uint8_t packet[LARGEST];
    while (poll(waits, 2, -1) > 0) {
        if (waits[0].revents & POLLIN) {
            ssize_t got = recv(fd, packet, sizeof packet, 0);
            if (got >= HEADER) fan_out(fd, all, count, packet, (size_t)got);
        }
        if (waits[1].revents && read(STDIN_FILENO, packet, 1) <= 0) return 0;
    }
    return 1;
}
