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
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "_sealing.h"

#define LARGEST 1200
#define MARKER 0x80

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
            if (sealer && sealer->context && line->name_size && size <= LARGEST && !(line->lossy && doubled) && index == sealer->highest + 1) {
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
