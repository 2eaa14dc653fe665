use std::ffi::{CStr, c_char, c_int, c_longlong, c_ulong, c_void};

use crate::buffer::PyBuffer;
use crate::object::PyObject;

type Size = isize;
type Objects = *mut PyObject;

/// The name of a C symbol.
macro_rules! symbol {
    ($name:ident) => {
        const {
            match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => panic!("a symbol has no zero in its name"),
            }
        }
    };
}

macro_rules! table {
    (
        functions { $($function:ident($($argument:ty),*) $(-> $result:ty)?;)* }
        data { $($datum:ident;)* }
    ) => {
        /// Addresses in one copy of CPython and of the libc below it. Plain data: it may be copied to
        /// wherever the domain's thread can read it.
        ///
        /// Every symbol of CPython but one is part of the stable ABI from 3.10 on; those of buffers are there, and became part
        /// of it in 3.11 as they were.
        #[derive(Clone, Copy)]
        #[repr(C)]
        #[allow(non_snake_case, reason = "the fields are named as the C symbols are")]
        pub struct Api {
            $(pub(crate) $function: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
            $(pub(crate) $datum: *mut PyObject,)*
            /// `Py_NoSiteFlag`, which is no part of the stable ABI: null where there is none.
            pub(crate) no_site: *mut c_int,
        }

        impl Api {
            /// Asks `lookup` for the address of every symbol. Runs on a trusted thread, before the domain's.
            ///
            /// # Errors
            /// The first symbol for which `lookup` gave null.
            ///
            /// # Safety
            /// `lookup` returns null or the address of the symbol of that name in a libpython of version 3.10
            /// or later, or in the libc it uses, which both stay loaded while the table is used.
            pub unsafe fn resolve(
                lookup: &mut dyn FnMut(&CStr) -> *mut c_void,
            ) -> Result<Api, &'static CStr> {
                let mut find = |name: &'static CStr| {
                    let address = lookup(name);
                    if address.is_null() { Err(name) } else { Ok(address) }
                };
                Ok(Api {
                    $($function: {
                        let address = find(symbol!($function))?;
                        // SAFETY: the caller promises the symbol's address, and the table its C signature.
                        unsafe {
                            std::mem::transmute::<
                                *mut c_void,
                                unsafe extern "C" fn($($argument),*) $(-> $result)?,
                            >(address)
                        }
                    },)*
                    $($datum: find(symbol!($datum))?.cast(),)*
                    no_site: lookup(c"Py_NoSiteFlag").cast(),
                })
            }
        }
    };
}

table! {
    functions {
        Py_InitializeEx(c_int);
        PyEval_SaveThread() -> *mut c_void;
        PyEval_RestoreThread(*mut c_void);
        PyOS_BeforeFork();
        PyOS_AfterFork_Parent();
        PyOS_AfterFork_Child();
        Py_IncRef(Objects);
        Py_DecRef(Objects);

        Py_CompileString(*const c_char, *const c_char, c_int) -> Objects;
        PyEval_GetBuiltins() -> Objects;
        PyEval_EvalCode(Objects, Objects, Objects) -> Objects;
        PyImport_AddModule(*const c_char) -> Objects;
        PyModule_GetDict(Objects) -> Objects;
        PyObject_Call(Objects, Objects, Objects) -> Objects;
        PyObject_CallNoArgs(Objects) -> Objects;
        PyObject_SetAttr(Objects, Objects, Objects) -> c_int;
        PyObject_Type(Objects) -> Objects;
        PyType_GetFlags(Objects) -> c_ulong;
        PyType_IsSubtype(Objects, Objects) -> c_int;

        PyErr_Occurred() -> Objects;
        PyErr_SetString(Objects, *const c_char);
        PyErr_Clear();
        PyErr_Fetch(*mut Objects, *mut Objects, *mut Objects);
        PyErr_NormalizeException(*mut Objects, *mut Objects, *mut Objects);
        PyException_SetTraceback(Objects, Objects) -> c_int;

        PyLong_FromLongLong(c_longlong) -> Objects;
        PyLong_AsLongLongAndOverflow(Objects, *mut c_int) -> c_longlong;
        PyNumber_Long(Objects) -> Objects;
        PyNumber_ToBase(Objects, c_int) -> Objects;
        PyFloat_FromDouble(f64) -> Objects;
        PyFloat_FromString(Objects) -> Objects;
        PyFloat_AsDouble(Objects) -> f64;
        PyOS_double_to_string(f64, c_char, c_int, c_int, *mut c_int) -> *mut c_char;
        PyMem_Free(*mut c_void);
        PyUnicode_DecodeUTF8(*const c_char, Size, *const c_char) -> Objects;
        PyUnicode_AsUTF8AndSize(Objects, *mut Size) -> *const c_char;

        PyList_New(Size) -> Objects;
        PyList_Size(Objects) -> Size;
        PyList_GetItem(Objects, Size) -> Objects;
        PyList_SetItem(Objects, Size, Objects) -> c_int;
        PyTuple_New(Size) -> Objects;
        PyTuple_Size(Objects) -> Size;
        PyTuple_GetItem(Objects, Size) -> Objects;
        PyTuple_SetItem(Objects, Size, Objects) -> c_int;
        PySequence_Fast(Objects, *const c_char) -> Objects;
        PyDict_New() -> Objects;
        PyDict_Copy(Objects) -> Objects;
        PyDict_Size(Objects) -> Size;
        PyDict_Next(Objects, *mut Size, *mut Objects, *mut Objects) -> c_int;
        PyDict_SetItem(Objects, Objects, Objects) -> c_int;
        PyDict_GetItemString(Objects, *const c_char) -> Objects;
        PyDict_SetItemString(Objects, *const c_char, Objects) -> c_int;
        PyMapping_Items(Objects) -> Objects;
        PyBytes_FromStringAndSize(*const c_char, Size) -> Objects;
        PyObject_GetBuffer(Objects, *mut PyBuffer, c_int) -> c_int;
        PyBuffer_Release(*mut PyBuffer);

        setvbuf(*mut c_void, *mut c_char, c_int, usize) -> c_int;
    }
    data {
        _Py_NoneStruct;
        _Py_TrueStruct;
        _Py_FalseStruct;
        PyUnicode_Type;
        PyLong_Type;
        PyFloat_Type;
        PyList_Type;
        PyTuple_Type;
        PyDict_Type;
        PyBytes_Type;
        PyExc_ValueError;
        PyExc_TypeError;
        PyExc_RecursionError;
        PyExc_SystemError;
        stdout;
    }
}

// SAFETY: the table is addresses; what may be done with them on which thread is up to `Interpreter::start`.
unsafe impl Send for Api {}
// SAFETY: as above; nothing writes to a table.
unsafe impl Sync for Api {}
