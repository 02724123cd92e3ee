/* The fan-out of one voice packet in one call: per slot the header is numbered, the payload sealed (AES-GCM, RFC 7714)
 * and the datagram handed to the kernel, 64 in one system call. Slots that need more than that are given back.
 *
 * A packet index is used once: a Sealer only goes on by one from its highest, and whatever else is asked of it is for
 * Python, which keeps account of holes. The interpreter lock is kept: a call works on 64 slots, some 100 us.
 * libcrypto is looked up at import, so that building needs a C compiler and Python's headers and nothing else. */
#define _GNU_SOURCE
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#define AT_ONCE 64
#define HEADER 12
#define NONCE 12
#define TAG 16
#define LARGEST 1200
#define MARKER 0x80
#define AEAD_GET_TAG 0x10

static struct {
    void *(*cipher_new)(void);
    void (*cipher_free)(void *);
    const void *(*aes_128_gcm)(void);
    const void *(*aes_256_gcm)(void);
    int (*init)(void *, const void *, void *, const unsigned char *, const unsigned char *);
    int (*update)(void *, unsigned char *, int *, const unsigned char *, int);
    int (*final)(void *, unsigned char *, int *);
    int (*control)(void *, int, int, void *);
} crypto;

/* --- the keys of phones ---------------------------------------------------------------------------------------------- */

/* Ciphers are made by the dozen and handed out in that order: the audience of a packet then lies in a few pages, where
 * one here and one there, each between some phone's TLS state, costs a miss of the translation buffer or two a packet. */
typedef struct cipher {
    void *context;
    struct cipher *next;
} Cipher;

static Cipher *spare[2];

static int make_some(int strong) {
    const void *kind = strong ? crypto.aes_256_gcm() : crypto.aes_128_gcm();
    Cipher *made[AT_ONCE];
    int count = 0;
    for (; count < AT_ONCE; count++) {
        Cipher *one = made[count] = PyMem_RawMalloc(sizeof *one);
        if (!one) break;
        one->context = crypto.cipher_new();
        if (!one->context || crypto.init(one->context, kind, NULL, NULL, NULL) != 1) {
            if (one->context) crypto.cipher_free(one->context);
            PyMem_RawFree(one);
            break;
        }
    }
    for (int i = count - 1; i >= 0; i--) {
        made[i]->next = spare[strong];
        spare[strong] = made[i];
    }
    return count > 0;
}

typedef struct {
    PyObject_HEAD
    Cipher *cipher;
    int strong;
} Key;

static int key_init(Key *self, PyObject *args, PyObject *named) {
    static char *names[] = {"key", NULL};
    const char *key;
    Py_ssize_t size;
    if (!PyArg_ParseTupleAndKeywords(args, named, "y#", names, &key, &size)) return -1;
    if (self->cipher || (size != 16 && size != 32)) {
        PyErr_SetString(PyExc_ValueError, "a key has 16 or 32 bytes, and is given once");
        return -1;
    }
    self->strong = size == 32;
    if (!spare[self->strong] && !make_some(self->strong)) {
        PyErr_SetString(PyExc_RuntimeError, "libcrypto gives no cipher");
        return -1;
    }
    self->cipher = spare[self->strong];
    spare[self->strong] = self->cipher->next;
    if (crypto.init(self->cipher->context, NULL, NULL, (const unsigned char *)key, NULL) != 1) {
        PyErr_SetString(PyExc_RuntimeError, "libcrypto takes no key");
        return -1;
    }
    return 0;
}

static void key_dealloc(Key *self) {
    static const unsigned char nothing[32];
    if (self->cipher) {
        crypto.init(self->cipher->context, NULL, NULL, nothing, NULL); /* the key is nowhere any more */
        self->cipher->next = spare[self->strong];
        spare[self->strong] = self->cipher;
    }
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyTypeObject KeyType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "poc_server.media._native.Key",
    .tp_basicsize = sizeof(Key),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = PyType_GenericNew,
    .tp_init = (initproc)key_init,
    .tp_dealloc = (destructor)key_dealloc,
};

/* --- one outgoing SSRC under one key ------------------------------------------------------------------------------ */

typedef struct {
    PyObject_HEAD
    void *context; /* of the key */
    Key *key;
    uint8_t nonce[NONCE];
    uint32_t ssrc;
    long long highest;
} Sealer;

static int sealer_init(Sealer *self, PyObject *args, PyObject *named) {
    static char *names[] = {"key", "nonce", "ssrc", NULL};
    Key *key;
    const char *nonce;
    Py_ssize_t nonce_size;
    unsigned long ssrc;
    if (!PyArg_ParseTupleAndKeywords(args, named, "O!y#k", names, &KeyType, &key, &nonce, &nonce_size, &ssrc)) return -1;
    if (self->key || !key->cipher || nonce_size != NONCE) {
        PyErr_SetString(PyExc_ValueError, "a nonce has 12 bytes, and is given once");
        return -1;
    }
    self->key = (Key *)Py_NewRef((PyObject *)key);
    self->context = key->cipher->context;
    memcpy(self->nonce, nonce, NONCE);
    self->ssrc = (uint32_t)ssrc;
    self->highest = -1;
    return 0;
}

static void sealer_dealloc(Sealer *self) {
    Py_XDECREF(self->key);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static int seal(Sealer *by, uint8_t kind, uint64_t index, uint32_t timestamp, const uint8_t *payload, int size, uint8_t *out) {
    uint8_t nonce[NONCE];
    int done = 0, last = 0;
    out[0] = 0x80;
    out[1] = kind;
    out[2] = (uint8_t)(index >> 8);
    out[3] = (uint8_t)index;
    for (int i = 0; i < 4; i++) {
        out[4 + i] = (uint8_t)(timestamp >> (24 - 8 * i));
        out[8 + i] = (uint8_t)(by->ssrc >> (24 - 8 * i));
    }
    memcpy(nonce, by->nonce, NONCE);
    for (int i = 0; i < 6; i++) nonce[6 + i] ^= (uint8_t)(index >> (40 - 8 * i));
    return crypto.init(by->context, NULL, NULL, NULL, nonce) == 1 &&
           crypto.update(by->context, NULL, &done, out, HEADER) == 1 &&
           crypto.update(by->context, out + HEADER, &done, payload, size) == 1 &&
           crypto.final(by->context, out + HEADER + done, &last) == 1 &&
           crypto.control(by->context, AEAD_GET_TAG, TAG, out + HEADER + size) == 1;
}

static PyMemberDef sealer_members[] = {
    {"highest", T_LONGLONG, offsetof(Sealer, highest), 0, "Highest packet index used; -1: none."},
    {NULL},
};

static PyTypeObject SealerType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "poc_server.media._native.Sealer",
    .tp_basicsize = sizeof(Sealer),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_new = PyType_GenericNew,
    .tp_init = (initproc)sealer_init,
    .tp_dealloc = (destructor)sealer_dealloc,
    .tp_members = sealer_members,
};

/* --- one slot of one listener -------------------------------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    PyObject *route;
    PyObject *sealer;
    long long first, last, add_sequence, add_timestamp;
    char lossy;
    int fd;
    socklen_t name_size;
    union {
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } name;
} Line;

static int line_traverse(Line *self, visitproc visit, void *arg) {
    Py_VISIT(self->route);
    Py_VISIT(self->sealer);
    return 0;
}

static int line_clear(Line *self) {
    Py_CLEAR(self->route);
    Py_CLEAR(self->sealer);
    return 0;
}

static void line_dealloc(Line *self) {
    PyObject_GC_UnTrack(self);
    line_clear(self);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyObject *line_aim(Line *self, PyObject *args) {
    const char *name;
    Py_ssize_t size;
    int fd;
    if (!PyArg_ParseTuple(args, "iy#", &fd, &name, &size)) return NULL;
    if (size > (Py_ssize_t)sizeof self->name) {
        PyErr_SetString(PyExc_ValueError, "no IPv4 or IPv6 socket address");
        return NULL;
    }
    memcpy(&self->name, name, (size_t)size);
    self->name_size = (socklen_t)size;
    self->fd = fd;
    Py_RETURN_NONE;
}

static PyObject *line_get_sealer(Line *self, void *unused) {
    (void)unused;
    return Py_NewRef(self->sealer ? self->sealer : Py_None);
}

static int line_set_sealer(Line *self, PyObject *value, void *unused) {
    (void)unused;
    if (value == NULL || value == Py_None) {
        Py_CLEAR(self->sealer);
        return 0;
    }
    if (!PyObject_TypeCheck(value, &SealerType)) {
        PyErr_SetString(PyExc_TypeError, "not a Sealer");
        return -1;
    }
    Py_XSETREF(self->sealer, Py_NewRef(value));
    return 0;
}

static PyMethodDef line_methods[] = {
    {"aim", (PyCFunction)line_aim, METH_VARARGS, "Send from socket fd to this struct sockaddr from now on."},
    {NULL},
};
static PyGetSetDef line_properties[] = {
    {"sealer", (getter)line_get_sealer, (setter)line_set_sealer, "Who seals what is sent here.", NULL},
    {NULL},
};
static PyMemberDef line_members[] = {
    {"route", T_OBJECT, offsetof(Line, route), 0, "The burst it carries."},
    {"first", T_LONGLONG, offsetof(Line, first), 0, "Uplink number at which it joined that burst."},
    {"last", T_LONGLONG, offsetof(Line, last), 0, "Highest uplink number of that burst that was sent here."},
    {"add_sequence", T_LONGLONG, offsetof(Line, add_sequence), 0, "Added to the burst's numbers."},
    {"add_timestamp", T_LONGLONG, offsetof(Line, add_timestamp), 0, "Added to the burst's timestamps."},
    {"lossy", T_BOOL, offsetof(Line, lossy), 0, "The phone loses packets here: it gets RED."},
    {NULL},
};

static PyTypeObject LineType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "poc_server.media._native.Line",
    .tp_basicsize = sizeof(Line),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_new = PyType_GenericNew,
    .tp_dealloc = (destructor)line_dealloc,
    .tp_traverse = (traverseproc)line_traverse,
    .tp_clear = (inquiry)line_clear,
    .tp_methods = line_methods,
    .tp_getset = line_properties,
    .tp_members = line_members,
};

/* The next slots' state is asked of memory while this one's packet is sealed: between two packets of a talker others
 * have had the caches. First the slot, then what it points to. */
static inline void foresee(PyObject *slots, Py_ssize_t at, Py_ssize_t stop) {
    if (at + 9 < stop) {
        const char *line = (const char *)PyTuple_GET_ITEM(slots, at + 9);
        __builtin_prefetch(line);
        __builtin_prefetch(line + 64);
    }
    if (at + 6 < stop && PyObject_TypeCheck(PyTuple_GET_ITEM(slots, at + 6), &LineType)) {
        const char *sealer = (const char *)((Line *)PyTuple_GET_ITEM(slots, at + 6))->sealer;
        __builtin_prefetch(sealer);
        __builtin_prefetch(sealer + sizeof(Sealer) - 1);
    }
    if (at + 3 < stop && PyObject_TypeCheck(PyTuple_GET_ITEM(slots, at + 3), &LineType)) {
        const Sealer *sealer = (const Sealer *)((Line *)PyTuple_GET_ITEM(slots, at + 3))->sealer;
        const char *context = sealer ? sealer->context : NULL;
        __builtin_prefetch(context);
        __builtin_prefetch(context + 64);
        __builtin_prefetch(context + 128);
    }
}

/* --- the fan-out ---------------------------------------------------------------------------------------------------- */

typedef struct {
    int fd, count;
    struct mmsghdr headers[AT_ONCE];
    struct iovec vectors[AT_ONCE];
    uint8_t packets[AT_ONCE][HEADER + LARGEST + TAG];
} Batch;

static Batch batch;

/* How many the kernel refused. One address that cannot be reached does not hold back the others. */
static int flush(void) {
    int at = 0, refused = 0, count = batch.count;
    batch.count = 0;
    while (at < count) {
        int sent = sendmmsg(batch.fd, batch.headers + at, (unsigned)(count - at), MSG_DONTWAIT);
        if (sent > 0) {
            at += sent;
        } else if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) {
            return refused + count - at;
        } else {
            refused++;
            at++;
        }
    }
    return refused;
}

static int put_aside(PyObject **rest, PyObject *slot) {
    if (!*rest && !(*rest = PyList_New(0))) return -1;
    return PyList_Append(*rest, slot);
}

/* fan(slots, start, route, sequence, timestamp, payload, kind, entry, doubled) -> (tried, refused, rest) */
static PyObject *fan(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *slots, *route, *rest = NULL;
    Py_ssize_t start, size;
    long long sequence, timestamp;
    const char *payload;
    int kind, entry, doubled, sent = 0, refused = 0;
    if (!PyArg_ParseTuple(args, "O!nOLLy#ipp", &PyTuple_Type, &slots, &start, &route, &sequence, &timestamp, &payload,
                          &size, &kind, &entry, &doubled))
        return NULL;
    Py_ssize_t stop = PyTuple_GET_SIZE(slots);
    if (start < 0) start = 0;
    if (stop > start + AT_ONCE) stop = start + AT_ONCE;
    for (Py_ssize_t at = start; at < stop; at++) {
        PyObject *slot = PyTuple_GET_ITEM(slots, at);
        if (!PyObject_TypeCheck(slot, &LineType)) {
            PyErr_SetString(PyExc_TypeError, "not a Line");
            goto failed;
        }
        foresee(slots, at, stop);
        Line *line = (Line *)slot;
        Sealer *sealer = (Sealer *)line->sealer;
        if (line->route == route) {
            if (entry || sequence < line->first) continue;
            long long index = sequence + line->add_sequence;
            if (sealer && line->name_size && size <= LARGEST && !(line->lossy && doubled) && index == sealer->highest + 1) {
                if (batch.count && batch.fd != line->fd) refused += flush();
                uint8_t *packet = batch.packets[batch.count];
                sealer->highest = index;
                if (sequence > line->last) line->last = sequence;
                sent++;
                if (!seal(sealer, (uint8_t)(sequence == line->first ? kind | MARKER : kind), (uint64_t)index,
                          (uint32_t)(timestamp + line->add_timestamp), (const uint8_t *)payload, (int)size, packet)) {
                    refused++;
                    continue;
                }
                batch.vectors[batch.count] = (struct iovec){packet, (size_t)size + HEADER + TAG};
                batch.headers[batch.count] = (struct mmsghdr){.msg_hdr = {.msg_name = &line->name,
                                                                          .msg_namelen = line->name_size,
                                                                          .msg_iov = &batch.vectors[batch.count],
                                                                          .msg_iovlen = 1}};
                batch.fd = line->fd;
                batch.count++;
                continue;
            }
        }
        if (put_aside(&rest, slot) < 0) goto failed;
    }
    refused += flush();
    if (!rest) rest = Py_NewRef(Py_None);
    return Py_BuildValue("iiN", sent, refused, rest);
failed:
    flush();
    Py_XDECREF(rest);
    return NULL;
}

static PyMethodDef functions[] = {
    {"fan", fan, METH_VARARGS, "Send one packet of a burst to the next slots of an audience."},
    {NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_native", "The fan-out in one call.", -1, functions, NULL, NULL, NULL, NULL,
};

static int find_crypto(void) {
    void *library = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
    struct {
        const char *name;
        void **into;
    } wanted[] = {
        {"EVP_CIPHER_CTX_new", (void **)&crypto.cipher_new}, {"EVP_CIPHER_CTX_free", (void **)&crypto.cipher_free},
        {"EVP_aes_128_gcm", (void **)&crypto.aes_128_gcm},   {"EVP_aes_256_gcm", (void **)&crypto.aes_256_gcm},
        {"EVP_EncryptInit_ex", (void **)&crypto.init},       {"EVP_EncryptUpdate", (void **)&crypto.update},
        {"EVP_EncryptFinal_ex", (void **)&crypto.final},     {"EVP_CIPHER_CTX_ctrl", (void **)&crypto.control},
    };
    for (size_t i = 0; library && i < sizeof wanted / sizeof *wanted; i++)
        if (!(*wanted[i].into = dlsym(library, wanted[i].name))) library = NULL;
    if (!library) PyErr_SetString(PyExc_ImportError, "libcrypto.so.3 is not here");
    return library ? 0 : -1;
}

PyMODINIT_FUNC PyInit__native(void) {
    if (find_crypto() < 0 || PyType_Ready(&KeyType) < 0 || PyType_Ready(&SealerType) < 0 || PyType_Ready(&LineType) < 0) return NULL;
    PyObject *module = PyModule_Create(&definition);
    if (!module) return NULL;
    if (PyModule_AddObjectRef(module, "Key", (PyObject *)&KeyType) < 0 ||
        PyModule_AddObjectRef(module, "Sealer", (PyObject *)&SealerType) < 0 ||
        PyModule_AddObjectRef(module, "Line", (PyObject *)&LineType) < 0 ||
        PyModule_AddIntConstant(module, "AT_ONCE", AT_ONCE) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
