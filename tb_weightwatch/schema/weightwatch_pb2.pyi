from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Envelope(_message.Message):
    __slots__ = ("version", "crc32", "raw_size", "kind", "started", "body", "written", "seal")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        UNKNOWN: _ClassVar[Envelope.Kind]
        RECORDS: _ClassVar[Envelope.Kind]
        ROWS: _ClassVar[Envelope.Kind]
        NOW: _ClassVar[Envelope.Kind]
        MAPS: _ClassVar[Envelope.Kind]
    UNKNOWN: Envelope.Kind
    RECORDS: Envelope.Kind
    ROWS: Envelope.Kind
    NOW: Envelope.Kind
    MAPS: Envelope.Kind
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CRC32_FIELD_NUMBER: _ClassVar[int]
    RAW_SIZE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_FIELD_NUMBER: _ClassVar[int]
    SEAL_FIELD_NUMBER: _ClassVar[int]
    version: int
    crc32: int
    raw_size: int
    kind: Envelope.Kind
    started: float
    body: bytes
    written: float
    seal: int
    def __init__(self, version: _Optional[int] = ..., crc32: _Optional[int] = ..., raw_size: _Optional[int] = ..., kind: _Optional[_Union[Envelope.Kind, str]] = ..., started: _Optional[float] = ..., body: _Optional[bytes] = ..., written: _Optional[float] = ..., seal: _Optional[int] = ...) -> None: ...

class Records(_message.Message):
    __slots__ = ("records",)
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[Dated]
    def __init__(self, records: _Optional[_Iterable[_Union[Dated, _Mapping]]] = ...) -> None: ...

class Dated(_message.Message):
    __slots__ = ("step", "time", "kind", "json")
    STEP_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    step: int
    time: float
    kind: str
    json: str
    def __init__(self, step: _Optional[int] = ..., time: _Optional[float] = ..., kind: _Optional[str] = ..., json: _Optional[str] = ...) -> None: ...

class Block(_message.Message):
    __slots__ = ("first", "rows", "steps", "times", "columns")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    first: int
    rows: int
    steps: Packed
    times: Packed
    columns: _containers.RepeatedCompositeFieldContainer[Series]
    def __init__(self, first: _Optional[int] = ..., rows: _Optional[int] = ..., steps: _Optional[_Union[Packed, _Mapping]] = ..., times: _Optional[_Union[Packed, _Mapping]] = ..., columns: _Optional[_Iterable[_Union[Series, _Mapping]]] = ...) -> None: ...

class Packed(_message.Message):
    __slots__ = ("head_planes", "delta_planes", "data")
    HEAD_PLANES_FIELD_NUMBER: _ClassVar[int]
    DELTA_PLANES_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    head_planes: int
    delta_planes: int
    data: bytes
    def __init__(self, head_planes: _Optional[int] = ..., delta_planes: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...

class Series(_message.Message):
    __slots__ = ("name", "axis", "encoding", "width", "known", "known_bits", "values", "same")
    class Axis(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        VARIABLE: _ClassVar[Series.Axis]
        LAYER: _ClassVar[Series.Axis]
        RUN: _ClassVar[Series.Axis]
    VARIABLE: Series.Axis
    LAYER: Series.Axis
    RUN: Series.Axis
    class Encoding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        NONE: _ClassVar[Series.Encoding]
        SIZE: _ClassVar[Series.Encoding]
        SHARE: _ClassVar[Series.Encoding]
        COUNT: _ClassVar[Series.Encoding]
        FLAG: _ClassVar[Series.Encoding]
        COSINE: _ClassVar[Series.Encoding]
        EXACT: _ClassVar[Series.Encoding]
    NONE: Series.Encoding
    SIZE: Series.Encoding
    SHARE: Series.Encoding
    COUNT: Series.Encoding
    FLAG: Series.Encoding
    COSINE: Series.Encoding
    EXACT: Series.Encoding
    class Known(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ALL: _ClassVar[Series.Known]
        NOTHING: _ClassVar[Series.Known]
        SOME: _ClassVar[Series.Known]
    ALL: Series.Known
    NOTHING: Series.Known
    SOME: Series.Known
    NAME_FIELD_NUMBER: _ClassVar[int]
    AXIS_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    KNOWN_BITS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    SAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    axis: Series.Axis
    encoding: Series.Encoding
    width: int
    known: Series.Known
    known_bits: bytes
    values: Packed
    same: int
    def __init__(self, name: _Optional[str] = ..., axis: _Optional[_Union[Series.Axis, str]] = ..., encoding: _Optional[_Union[Series.Encoding, str]] = ..., width: _Optional[int] = ..., known: _Optional[_Union[Series.Known, str]] = ..., known_bits: _Optional[bytes] = ..., values: _Optional[_Union[Packed, _Mapping]] = ..., same: _Optional[int] = ...) -> None: ...

class Now(_message.Message):
    __slots__ = ("time", "due", "step", "rows", "blocks", "headers", "latest", "diagnosis")
    TIME_FIELD_NUMBER: _ClassVar[int]
    DUE_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    BLOCKS_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    LATEST_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSIS_FIELD_NUMBER: _ClassVar[int]
    time: float
    due: float
    step: int
    rows: int
    blocks: int
    headers: int
    latest: Block
    diagnosis: str
    def __init__(self, time: _Optional[float] = ..., due: _Optional[float] = ..., step: _Optional[int] = ..., rows: _Optional[int] = ..., blocks: _Optional[int] = ..., headers: _Optional[int] = ..., latest: _Optional[_Union[Block, _Mapping]] = ..., diagnosis: _Optional[str] = ...) -> None: ...

class Maps(_message.Message):
    __slots__ = ("step", "time", "arrays")
    STEP_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    ARRAYS_FIELD_NUMBER: _ClassVar[int]
    step: int
    time: float
    arrays: _containers.RepeatedCompositeFieldContainer[Array]
    def __init__(self, step: _Optional[int] = ..., time: _Optional[float] = ..., arrays: _Optional[_Iterable[_Union[Array, _Mapping]]] = ...) -> None: ...

class Array(_message.Message):
    __slots__ = ("variable", "kind", "shape", "encoding", "top", "dtype", "first", "data")
    class Encoding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        LEVELS: _ClassVar[Array.Encoding]
        EXACT: _ClassVar[Array.Encoding]
    LEVELS: Array.Encoding
    EXACT: Array.Encoding
    VARIABLE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    TOP_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    variable: str
    kind: str
    shape: _containers.RepeatedScalarFieldContainer[int]
    encoding: Array.Encoding
    top: float
    dtype: str
    first: int
    data: bytes
    def __init__(self, variable: _Optional[str] = ..., kind: _Optional[str] = ..., shape: _Optional[_Iterable[int]] = ..., encoding: _Optional[_Union[Array.Encoding, str]] = ..., top: _Optional[float] = ..., dtype: _Optional[str] = ..., first: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...
