//! References to Python objects, and the calls that this crate makes, each wrapped once.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::{self, NonNull};

use crate::api::Api;
use crate::buffer::Buffer;

/// The head of every object, as the stable ABI fixes it: extension modules are compiled against it.
#[repr(C)]
pub(crate) struct PyObject {
    references: isize,
    kind: *mut PyObject,
}

/// A Python exception is set on this thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Raised;

/// The interpreter, by a thread that holds its lock.
#[derive(Clone, Copy)]
pub(crate) struct Python<'a> {
    /// Invariant: belongs to an interpreter that is initialised and whose lock this thread holds.
    api: &'a Api,
}

/// A reference that this crate owns.
pub(crate) struct Object<'a> {
    python: Python<'a>,
    at: NonNull<PyObject>,
}

/// What `json` distinguishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    False,
    True,
    Text,
    Integer,
    Float,
    List,
    Tuple,
    /// A subclass of list or tuple: it may iterate as it likes.
    ListLike,
    Dict,
    /// A subclass of dict: its items may come in an order of their own.
    DictLike,
    /// Which `json` does not know either, but Lambda's runtime.
    Bytes,
    Other,
}

const LONG_SUBCLASS: u64 = 1 << 24;
const LIST_SUBCLASS: u64 = 1 << 25;
const TUPLE_SUBCLASS: u64 = 1 << 26;
const BYTES_SUBCLASS: u64 = 1 << 27;
const UNICODE_SUBCLASS: u64 = 1 << 28;
const DICT_SUBCLASS: u64 = 1 << 29;

impl Drop for Object<'_> {
    fn drop(&mut self) {
        // SAFETY: the reference is owned, and `Python` says that the lock is held.
        unsafe { (self.python.api.Py_DecRef)(self.at.as_ptr()) }
    }
}

impl Clone for Object<'_> {
    fn clone(&self) -> Self {
        self.python.kept(self.at)
    }
}

impl<'a> Python<'a> {
    /// # Safety
    /// While the value is used, the thread holds the lock of `api`'s interpreter, which is initialised.
    pub(crate) unsafe fn new(api: &'a Api) -> Python<'a> {
        Python { api }
    }

    /// A reference of our own to a borrowed one.
    fn kept(self, at: NonNull<PyObject>) -> Object<'a> {
        // SAFETY: the object is alive, and the lock is held.
        unsafe { (self.api.Py_IncRef)(at.as_ptr()) };
        Object { python: self, at }
    }

    fn borrowed(self, at: *mut PyObject) -> Result<Object<'a>, Raised> {
        NonNull::new(at).map(|at| self.kept(at)).ok_or(Raised)
    }

    /// Takes over a new reference that a call returned, null when it raised.
    fn owned(self, at: *mut PyObject) -> Result<Object<'a>, Raised> {
        NonNull::new(at).map(|at| Object { python: self, at }).ok_or(Raised)
    }

    fn done(self, status: c_int) -> Result<(), Raised> {
        if status < 0 { Err(Raised) } else { Ok(()) }
    }

    /// Whether objects are laid out as [`PyObject`] says. Free-threaded builds, which have no stable ABI,
    /// differ.
    pub(crate) fn layout_is_known(self) -> bool {
        // SAFETY: None is an object; `PyObject_Type` returns a new reference, which is given back.
        unsafe {
            let kind = (self.api.PyObject_Type)(self.api._Py_NoneStruct);
            (self.api.Py_DecRef)(kind);
            ptr::eq((*self.api._Py_NoneStruct).kind, kind)
        }
    }

    pub(crate) fn none(self) -> Object<'a> {
        self.constant(self.api._Py_NoneStruct)
    }

    pub(crate) fn bool(self, value: bool) -> Object<'a> {
        self.constant(if value { self.api._Py_TrueStruct } else { self.api._Py_FalseStruct })
    }

    fn constant(self, at: *mut PyObject) -> Object<'a> {
        // SAFETY: `Api::resolve` lets no null through.
        self.kept(unsafe { NonNull::new_unchecked(at) })
    }

    pub(crate) fn integer(self, value: i64) -> Result<Object<'a>, Raised> {
        // SAFETY: the lock is held.
        self.owned(unsafe { (self.api.PyLong_FromLongLong)(value) })
    }

    pub(crate) fn float(self, value: f64) -> Result<Object<'a>, Raised> {
        // SAFETY: the lock is held.
        self.owned(unsafe { (self.api.PyFloat_FromDouble)(value) })
    }

    /// A string; raises when `text` is not UTF-8.
    pub(crate) fn text(self, text: &[u8]) -> Result<Object<'a>, Raised> {
        // SAFETY: a slice's length fits `isize`; null asks for strict decoding; the lock is held.
        self.owned(unsafe {
            (self.api.PyUnicode_DecodeUTF8)(text.as_ptr().cast(), text.len().cast_signed(), ptr::null())
        })
    }

    pub(crate) fn bytes(self, bytes: &[u8]) -> Result<Object<'a>, Raised> {
        // SAFETY: a slice's length fits `isize`; the lock is held.
        self.owned(unsafe {
            (self.api.PyBytes_FromStringAndSize)(bytes.as_ptr().cast(), bytes.len().cast_signed())
        })
    }

    /// `int(text)`.
    pub(crate) fn integer_of(self, text: &Object<'a>) -> Result<Object<'a>, Raised> {
        // SAFETY: the object is alive, and the lock is held.
        self.owned(unsafe { (self.api.PyNumber_Long)(text.at.as_ptr()) })
    }

    /// `float(text)`.
    pub(crate) fn float_of(self, text: &Object<'a>) -> Result<Object<'a>, Raised> {
        // SAFETY: the object is alive, and the lock is held.
        self.owned(unsafe { (self.api.PyFloat_FromString)(text.at.as_ptr()) })
    }

    /// A list of `count` elements that [`Object::set_element`] is yet to fill.
    pub(crate) fn list(self, count: usize) -> Result<Object<'a>, Raised> {
        // SAFETY: the lock is held; a count that does not fit raises.
        self.owned(unsafe { (self.api.PyList_New)(count.cast_signed()) })
    }

    pub(crate) fn dict(self) -> Result<Object<'a>, Raised> {
        // SAFETY: the lock is held.
        self.owned(unsafe { (self.api.PyDict_New)() })
    }

    pub(crate) fn tuple<const N: usize>(self, elements: [Object<'a>; N]) -> Result<Object<'a>, Raised> {
        // SAFETY: the lock is held.
        let tuple = self.owned(unsafe { (self.api.PyTuple_New)(N.cast_signed()) })?;
        for (index, element) in elements.into_iter().enumerate() {
            // SAFETY: the tuple is new and not yet shared; the call takes the reference over even if it
            // fails.
            self.done(unsafe {
                (self.api.PyTuple_SetItem)(tuple.at.as_ptr(), index.cast_signed(), element.given())
            })?;
        }
        Ok(tuple)
    }

    /// `repr` of a finite float, by `read`, whatever the class of the float it came from prints.
    pub(crate) fn with_float_repr<T>(self, value: f64, read: impl FnOnce(&[u8]) -> T) -> Result<T, Raised> {
        const REPR: c_char = b'r'.cast_signed();
        const ADD_DOT_0: c_int = 2;
        // SAFETY: the call returns null and raises, or a text that ends in zero and is ours to free.
        unsafe {
            let text = (self.api.PyOS_double_to_string)(value, REPR, 0, ADD_DOT_0, ptr::null_mut());
            if text.is_null() {
                return Err(Raised);
            }
            let result = read(CStr::from_ptr(text).to_bytes());
            (self.api.PyMem_Free)(text.cast::<c_void>());
            Ok(result)
        }
    }

    /// Raises a `ValueError`.
    pub(crate) fn value_error(self, message: &CStr) -> Raised {
        self.raise(self.api.PyExc_ValueError, message)
    }

    /// Raises a `TypeError`.
    pub(crate) fn type_error(self, message: &CStr) -> Raised {
        self.raise(self.api.PyExc_TypeError, message)
    }

    /// Raises a `RecursionError`.
    pub(crate) fn recursion_error(self, message: &CStr) -> Raised {
        self.raise(self.api.PyExc_RecursionError, message)
    }

    /// Raises a `SystemError`.
    pub(crate) fn system_error(self, message: &CStr) -> Raised {
        self.raise(self.api.PyExc_SystemError, message)
    }

    fn raise(self, kind: *mut PyObject, message: &CStr) -> Raised {
        // SAFETY: `PyExc_…` is the address of a pointer to the class; the lock is held.
        unsafe { (self.api.PyErr_SetString)(*kind.cast::<*mut PyObject>(), message.as_ptr()) };
        Raised
    }

    /// Takes the exception that is set, with its traceback.
    pub(crate) fn take_exception(self) -> Option<Object<'a>> {
        let (mut kind, mut value, mut traceback) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        // SAFETY: the three are given as new references or null, and `owned` takes them over.
        unsafe {
            (self.api.PyErr_Fetch)(&raw mut kind, &raw mut value, &raw mut traceback);
            if !kind.is_null() {
                (self.api.PyErr_NormalizeException)(&raw mut kind, &raw mut value, &raw mut traceback);
            }
        }
        let _kind = self.owned(kind);
        let value = self.owned(value).ok()?;
        if let Ok(traceback) = self.owned(traceback) {
            // SAFETY: both are alive; a failure leaves the exception without its traceback.
            unsafe { (self.api.PyException_SetTraceback)(value.at.as_ptr(), traceback.at.as_ptr()) };
        }
        Some(value)
    }

    pub(crate) fn clear_exception(self) {
        // SAFETY: the lock is held.
        unsafe { (self.api.PyErr_Clear)() }
    }

    fn exception_is_set(self) -> bool {
        // SAFETY: the lock is held.
        !unsafe { (self.api.PyErr_Occurred)() }.is_null()
    }

    /// Runs `source` as module `name` and returns its dict.
    pub(crate) fn run(self, source: &CStr, file: &CStr, name: &CStr) -> Result<Object<'a>, Raised> {
        const FILE_INPUT: c_int = 257;
        // SAFETY: the strings end in zero; `AddModule`, `GetDict` and `GetBuiltins` lend references; the lock
        // is held.
        unsafe {
            let code = self.owned((self.api.Py_CompileString)(source.as_ptr(), file.as_ptr(), FILE_INPUT))?;
            let module = self.borrowed((self.api.PyImport_AddModule)(name.as_ptr()))?;
            let dict = self.borrowed((self.api.PyModule_GetDict)(module.at.as_ptr()))?;
            let builtins = self.borrowed((self.api.PyEval_GetBuiltins)())?;
            self.done((self.api.PyDict_SetItemString)(
                dict.at.as_ptr(),
                c"__builtins__".as_ptr(),
                builtins.at.as_ptr(),
            ))?;
            self.owned((self.api.PyEval_EvalCode)(code.at.as_ptr(), dict.at.as_ptr(), dict.at.as_ptr()))?;
            Ok(dict)
        }
    }
}

impl<'a> Object<'a> {
    /// Gives the reference to a call that takes it over.
    fn given(self) -> *mut PyObject {
        std::mem::ManuallyDrop::new(self).at.as_ptr()
    }

    fn api(&self) -> &'a Api {
        self.python.api
    }

    pub(crate) fn is(&self, other: &Object<'a>) -> bool {
        self.at == other.at
    }

    pub(crate) fn is_none(&self) -> bool {
        ptr::eq(self.at.as_ptr(), self.api()._Py_NoneStruct)
    }

    pub(crate) fn is_true(&self) -> bool {
        ptr::eq(self.at.as_ptr(), self.api()._Py_TrueStruct)
    }

    /// Whether `others` references to it besides this one are all there are. An object that was there from the start may be
    /// everybody's, and counts in a way of its own.
    pub(crate) fn is_held_by(&self, others: isize) -> bool {
        // SAFETY: the object is alive, and `layout_is_known` was checked at the start.
        unsafe { self.at.as_ref() }.references == others + 1
    }

    /// Whether it is a string, an int or a float, and of no subclass.
    pub(crate) fn is_exact_scalar(&self) -> bool {
        let api = self.api();
        // SAFETY: as above.
        let class = unsafe { self.at.as_ref() }.kind;
        [api.PyUnicode_Type, api.PyLong_Type, api.PyFloat_Type].iter().any(|exact| ptr::eq(class, *exact))
    }

    /// Whether it is `bytes`, and of no subclass.
    pub(crate) fn is_exact_bytes(&self) -> bool {
        // SAFETY: as above.
        ptr::eq(unsafe { self.at.as_ref() }.kind, self.api().PyBytes_Type)
    }

    pub(crate) fn kind(&self) -> Kind {
        let api = self.api();
        // SAFETY: the object is alive, and `layout_is_known` was checked at the start.
        let class = unsafe { self.at.as_ref() }.kind;
        if ptr::eq(class, api.PyUnicode_Type) {
            Kind::Text
        } else if ptr::eq(class, api.PyLong_Type) {
            Kind::Integer
        } else if ptr::eq(class, api.PyDict_Type) {
            Kind::Dict
        } else if ptr::eq(class, api.PyList_Type) {
            Kind::List
        } else if ptr::eq(class, api.PyFloat_Type) {
            Kind::Float
        } else if ptr::eq(class, api.PyTuple_Type) {
            Kind::Tuple
        } else if self.is_none() {
            Kind::Null
        } else if self.is_true() {
            Kind::True
        } else if ptr::eq(self.at.as_ptr(), api._Py_FalseStruct) {
            Kind::False
        } else {
            self.kind_of_subclass(class)
        }
    }

    #[cold]
    fn kind_of_subclass(&self, class: *mut PyObject) -> Kind {
        let api = self.api();
        // SAFETY: an object keeps its class alive; the lock is held.
        let flags = unsafe { (api.PyType_GetFlags)(class) };
        match flags {
            _ if flags & UNICODE_SUBCLASS != 0 => Kind::Text,
            _ if flags & LONG_SUBCLASS != 0 => Kind::Integer,
            _ if flags & (LIST_SUBCLASS | TUPLE_SUBCLASS) != 0 => Kind::ListLike,
            _ if flags & DICT_SUBCLASS != 0 => Kind::DictLike,
            _ if flags & BYTES_SUBCLASS != 0 => Kind::Bytes,
            // SAFETY: as above; both are classes.
            _ if unsafe { (api.PyType_IsSubtype)(class, api.PyFloat_Type) } != 0 => Kind::Float,
            _ => Kind::Other,
        }
    }

    /// The UTF-8 of a string; raises for a lone surrogate.
    pub(crate) fn utf8(&self) -> Result<&[u8], Raised> {
        let mut length = 0;
        // SAFETY: what is no string raises; the text is cached in the string, which `self` keeps alive.
        unsafe {
            let text = (self.api().PyUnicode_AsUTF8AndSize)(self.at.as_ptr(), &raw mut length);
            if text.is_null() {
                return Err(Raised);
            }
            Ok(std::slice::from_raw_parts(text.cast(), length.cast_unsigned()))
        }
    }

    /// The value of an int, or none when 64 bits do not hold it.
    pub(crate) fn as_i64(&self) -> Result<Option<i64>, Raised> {
        let mut overflow = 0;
        // SAFETY: the object is alive, and the lock is held; what is no int raises.
        let value = unsafe { (self.api().PyLong_AsLongLongAndOverflow)(self.at.as_ptr(), &raw mut overflow) };
        if value == -1 && overflow == 0 && self.python.exception_is_set() {
            return Err(Raised);
        }
        Ok((overflow == 0).then_some(value))
    }

    /// The decimal digits of an int, whatever its class prints.
    pub(crate) fn digits(&self) -> Result<Object<'a>, Raised> {
        // SAFETY: the object is alive, and the lock is held.
        self.python.owned(unsafe { (self.api().PyNumber_ToBase)(self.at.as_ptr(), 10) })
    }

    pub(crate) fn as_f64(&self) -> Result<f64, Raised> {
        // SAFETY: the object is alive, and the lock is held; what is no float raises.
        let value = unsafe { (self.api().PyFloat_AsDouble)(self.at.as_ptr()) };
        if value == -1.0 && self.python.exception_is_set() { Err(Raised) } else { Ok(value) }
    }

    pub(crate) fn list_len(&self) -> usize {
        // SAFETY: the object is alive, and the lock is held; what is no list raises and gives -1.
        unsafe { (self.api().PyList_Size)(self.at.as_ptr()) }.try_into().unwrap_or(0)
    }

    pub(crate) fn list_element(&self, index: usize) -> Result<Object<'a>, Raised> {
        // SAFETY: the object is alive, and the lock is held; a wrong kind or index raises; the element is
        // lent.
        self.python.borrowed(unsafe { (self.api().PyList_GetItem)(self.at.as_ptr(), index.cast_signed()) })
    }

    pub(crate) fn set_element(&self, index: usize, element: Object<'a>) -> Result<(), Raised> {
        // SAFETY: as above; the call takes the reference over even if it fails.
        self.python.done(unsafe {
            (self.api().PyList_SetItem)(self.at.as_ptr(), index.cast_signed(), element.given())
        })
    }

    pub(crate) fn tuple_len(&self) -> usize {
        // SAFETY: the object is alive, and the lock is held; what is no tuple raises and gives -1.
        unsafe { (self.api().PyTuple_Size)(self.at.as_ptr()) }.try_into().unwrap_or(0)
    }

    pub(crate) fn tuple_element(&self, index: usize) -> Result<Object<'a>, Raised> {
        // SAFETY: the object is alive, and the lock is held; a wrong kind or index raises; the element is
        // lent.
        self.python.borrowed(unsafe { (self.api().PyTuple_GetItem)(self.at.as_ptr(), index.cast_signed()) })
    }

    /// The object itself if it is a list or tuple, else a list of what it iterates over.
    pub(crate) fn sequence(&self) -> Result<Object<'a>, Raised> {
        let message = c"not iterable";
        // SAFETY: the object is alive, and the lock is held.
        self.python.owned(unsafe { (self.api().PySequence_Fast)(self.at.as_ptr(), message.as_ptr()) })
    }

    /// The member of a dict at `place`, which starts at 0 and moves on.
    pub(crate) fn next_member(&self, place: &mut isize) -> Option<(Object<'a>, Object<'a>)> {
        let (mut key, mut value) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: the object is alive, and the lock is held; what is no dict has no members; both are lent.
        unsafe {
            if (self.api().PyDict_Next)(self.at.as_ptr(), place, &raw mut key, &raw mut value) == 0 {
                return None;
            }
        }
        Some((self.python.borrowed(key).ok()?, self.python.borrowed(value).ok()?))
    }

    /// `dict(self)`, of a dict.
    pub(crate) fn dict_copy(&self) -> Result<Object<'a>, Raised> {
        // SAFETY: the object is alive, and the lock is held; what is no dict raises.
        self.python.owned(unsafe { (self.api().PyDict_Copy)(self.at.as_ptr()) })
    }

    pub(crate) fn dict_len(&self) -> usize {
        // SAFETY: the object is alive, and the lock is held; what is no dict raises and gives -1.
        unsafe { (self.api().PyDict_Size)(self.at.as_ptr()) }.try_into().unwrap_or(0)
    }

    pub(crate) fn set_member(&self, key: &Object<'a>, value: &Object<'a>) -> Result<(), Raised> {
        // SAFETY: all three are alive, and the lock is held.
        self.python.done(unsafe {
            (self.api().PyDict_SetItem)(self.at.as_ptr(), key.at.as_ptr(), value.at.as_ptr())
        })
    }

    /// A member of a dict.
    pub(crate) fn member(&self, name: &CStr) -> Option<Object<'a>> {
        // SAFETY: the object is alive, and the lock is held; the member is lent.
        let member = unsafe { (self.api().PyDict_GetItemString)(self.at.as_ptr(), name.as_ptr()) };
        self.python.borrowed(member).ok()
    }

    /// A member of a dict, by a name that is known to be there.
    pub(crate) fn named(&self, name: &CStr) -> Result<Object<'a>, Raised> {
        self.member(name).ok_or_else(|| self.python.system_error(name))
    }

    /// What it shows of its memory.
    pub(crate) fn buffer(&self) -> Result<Buffer<'a>, Raised> {
        // SAFETY: the object is alive, and the table is its interpreter's.
        unsafe { Buffer::of(self.python, self.api(), self.at.as_ptr(), false) }
    }

    /// The same, to be written to.
    pub(crate) fn writable_buffer(&self) -> Result<Buffer<'a>, Raised> {
        // SAFETY: as above.
        unsafe { Buffer::of(self.python, self.api(), self.at.as_ptr(), true) }
    }

    /// `list(self.items())`.
    pub(crate) fn items(&self) -> Result<Object<'a>, Raised> {
        // SAFETY: the object is alive, and the lock is held.
        self.python.owned(unsafe { (self.api().PyMapping_Items)(self.at.as_ptr()) })
    }

    pub(crate) fn call<const N: usize>(&self, arguments: [Object<'a>; N]) -> Result<Object<'a>, Raised> {
        self.call_with(&self.python.tuple(arguments)?)
    }

    pub(crate) fn call_with(&self, arguments: &Object<'a>) -> Result<Object<'a>, Raised> {
        // SAFETY: both are alive, and the lock is held; null stands for no keyword arguments.
        self.python.owned(unsafe {
            (self.api().PyObject_Call)(self.at.as_ptr(), arguments.at.as_ptr(), ptr::null_mut())
        })
    }

    pub(crate) fn call_bare(&self) -> Result<Object<'a>, Raised> {
        // SAFETY: the object is alive, and the lock is held.
        self.python.owned(unsafe { (self.api().PyObject_CallNoArgs)(self.at.as_ptr()) })
    }

    pub(crate) fn set_attribute(&self, name: &Object<'a>, value: &Object<'a>) -> Result<(), Raised> {
        // SAFETY: all three are alive, and the lock is held.
        self.python.done(unsafe {
            (self.api().PyObject_SetAttr)(self.at.as_ptr(), name.at.as_ptr(), value.at.as_ptr())
        })
    }
}
