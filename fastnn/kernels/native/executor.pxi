# The C executor: one call for many batches of a plan. Included by extension.pyx.

cdef extern from "Python.h":
    int PyErr_CheckSignals()  # leaves the exception set, for the caller to pass on

cdef extern from "parallel/tuning.h" nogil:
    ctypedef struct fastnn_tuning:
        pass

cdef extern from "parallel/pool.h" nogil:
    ctypedef struct fastnn_pool:
        pass

    int fastnn_pool_run(int threads, void (*work)(void *, int) noexcept nogil, void *context)
    void fastnn_pool_stop(fastnn_pool *pool)
    int fastnn_pool_is_stopping(const fastnn_pool *pool)

cdef extern from "executor/executor.h" nogil:
    enum:
        FASTNN_STAGES
        FASTNN_REGIONS
        FASTNN_COPY
        FASTNN_PARAMETERS
        FASTNN_GRADIENTS
        FASTNN_SLOTS
        FASTNN_BUFFERS
        FASTNN_WORKSPACE

    ctypedef enum fastnn_request:
        FASTNN_CONTINUE
        FASTNN_STOP_AFTER_BATCH
        FASTNN_ABORT

    ctypedef struct fastnn_ref:
        int64_t region, offset

    ctypedef struct fastnn_op:
        int64_t kernel

    ctypedef struct fastnn_plan:
        fastnn_dtype dtype
        const fastnn_op *op
        int64_t begin[FASTNN_STAGES + 1]
        fastnn_ref prediction
        int64_t outputs

    ctypedef struct fastnn_transform:
        int64_t column

    ctypedef struct fastnn_input:
        const void *rows
        const void *columns
        const int64_t *starts
        int64_t wide_columns
        int64_t source, size, item
        double scale
        void *batch
        const fastnn_transform *transform
        int64_t transforms

    ctypedef struct fastnn_run:
        const fastnn_table *table
        const fastnn_plan *plan
        void *base[FASTNN_REGIONS]
        fastnn_input input, target, weight
        const int64_t *order
        int64_t rows, batch_rows, train, batch, stop
        uint64_t seed, step, first_step
        const fastnn_scalar *per_step
        int64_t columns
        double *losses
        char *predictions
        int64_t kept_from
        fastnn_tuning *tuning
        fastnn_request (*interrupt_callback)(void *) noexcept nogil
        void *context

    int64_t fastnn_now()
    fastnn_status fastnn_execute(fastnn_run *run)


COPY = FASTNN_COPY  # instead of a source's number: rows are copied as they are


def sources():
    """Return the names of the dtypes that the executor gathers from, by their numbers."""
    return tuple([fastnn_source_names[i].decode() for i in range(FASTNN_SOURCE_COUNT)])


def op_size():
    """Return the bytes of one op of a plan."""
    return sizeof(fastnn_op)


def transform_size():
    """Return the bytes of one transform of a batch."""
    return sizeof(fastnn_transform)


cdef struct InterruptState:
    int64_t end  # time after which the call returns; 0 for none
    const fastnn_pool *pool  # that the call belongs to, or NULL
    int ignores_signals  # on all threads but the one that Python delivers signals to
    int failed  # a signal handler raised


cdef fastnn_request _poll_interrupts(void *context) noexcept nogil:
    """Run Python's signal handlers; request an end if one raises, or if time is up."""
    cdef InterruptState *state = <InterruptState *>context
    if state.pool and fastnn_pool_is_stopping(state.pool):
        return FASTNN_ABORT
    if not state.ignores_signals:
        with gil:
            if PyErr_CheckSignals():
                state.failed = 1
                return FASTNN_ABORT
    return FASTNN_STOP_AFTER_BATCH if state.end and fastnn_now() >= state.end else FASTNN_CONTINUE


cdef void *_address(object array) except? NULL:
    """Return the address of the elements of a C-contiguous array; NULL for None."""
    if array is None:
        return NULL
    if not np.PyArray_ISCARRAY_RO(<np.ndarray?>array):
        raise ArgumentError(f"an array of a run must be C-contiguous; got {_described(array)}")
    return np.PyArray_DATA(<np.ndarray>array)


cdef void *_writeable(object array, str name) except? NULL:
    """Return the address of an array that C writes to; raise where it is read-only."""
    cdef void *address = _address(array)
    if array is not None and not np.PyArray_ISWRITEABLE(<np.ndarray>array):
        raise ArgumentError(f"{name} must be writeable; got {_described(array)}")
    return address


cdef int _set_input(fastnn_input *target, object source, int64_t n_rows) except -1:
    """Fill in an input from a `NativeInput`, whose column numbers have been checked."""
    if source is None:
        return 0
    array, batch, transforms = source.array, source.batch, source.transforms
    cdef int64_t length
    if isinstance(array, np.ndarray):
        length = np.PyArray_DIM(<np.ndarray>array, 0)
        target.size = np.PyArray_SIZE(<np.ndarray>array) // length
    else:
        columns, starts = array.columns, array.starts
        target.columns, target.starts = _address(columns), <const int64_t *>_address(starts)
        target.wide_columns = np.PyArray_ITEMSIZE(<np.ndarray?>columns) == 8
        length = np.PyArray_DIM(<np.ndarray?>starts, 0) - 1
        target.size = array.width
        array = array.values
    if length < n_rows:
        raise ArgumentError(f"arrays of a run must have {n_rows} rows; got {length}")
    target.rows, target.batch = _address(array), _writeable(batch, "the buffer of a batch")
    target.source, target.scale = source.source, source.scale
    target.transform = <const fastnn_transform *>_address(transforms)
    target.transforms = len(transforms)
    target.item = np.PyArray_ITEMSIZE(<np.ndarray>(array if batch is None else batch))
    return 0


cdef class Program:
    """A plan laid out for the C executor, and the team size that its runs have measured.

    Parameters
    ----------
    ops : ndarray of records
        As `fastnn.execution.native_encoding` lays them out.
    begin : sequence of int
        First op of each stage, and the number of ops.
    double : bool
        Whether the plan is one of float64.
    prediction : (region, offset, outputs)
    """

    cdef fastnn_plan _plan
    cdef fastnn_tuning _tuning
    cdef object _ops

    def __init__(self, ops, begin, bint double, prediction):
        self._ops = ops
        self._plan.op = <const fastnn_op *>_address(ops)
        for stage in range(FASTNN_STAGES + 1):
            self._plan.begin[stage] = begin[stage]
        self._plan.dtype = FASTNN_FLOAT64 if double else FASTNN_FLOAT32
        self._plan.prediction.region, self._plan.prediction.offset = prediction[:2]
        self._plan.outputs = prediction[2]

cdef class Run:
    """A range of batches, run by a program in memory of its own.

    Parameters
    ----------
    program : Program
    arena : ParameterArena
        Inference reads parameters and buffers; training writes to all of it.
    workspace : ndarray
    inputs : (NativeInput, NativeInput or None, NativeInput or None)
        Inputs, targets and weights.
    batch_range : BatchRange
        Its state advances, also where a signal handler raises.
    step_table : ndarray of uint64, shape (steps, columns), or None
        Numbers that depend on the step alone.
    """

    cdef fastnn_run _run
    cdef InterruptState _interrupts
    cdef fastnn_status _status
    cdef int64_t _start
    cdef object _state, _learning_rates, _error, _memory

    def __init__(self, Program program, arena, workspace, inputs, batch_range, step_table):
        cdef fastnn_run *run = &self._run
        batches, learning_rates = batch_range.batches, batch_range.learning_rates
        self._state = batch_range.state
        run.table, run.plan, run.tuning = _table, &program._plan, &program._tuning
        run.rows, run.batch_rows = len(batches.data), batches.batch_size
        self._start, run.stop = batch_range.start, batch_range.stop
        run.train = learning_rates is not None
        regions = self._set_regions(arena, workspace)
        x, target, weight = inputs
        _set_input(&run.input, x, run.rows)
        _set_input(&run.target, target, run.rows)
        _set_input(&run.weight, weight, run.rows)
        order, predictions = batches.order, batches.predictions
        losses = batches.losses if batches.scored else None
        run.order = <const int64_t *>_address(order)
        run.losses = <double *>_writeable(losses, "losses")
        run.predictions = <char *>_writeable(predictions, "predictions")
        run.kept_from = batches.kept_from
        if run.train and np.PyArray_SIZE(<np.ndarray?>learning_rates) < run.stop - self._start:
            raise ArgumentError(f"{run.stop - self._start} batches need as many learning rates")
        if step_table is not None:
            run.per_step = <const fastnn_scalar *>_address(step_table)
            run.columns = np.PyArray_DIM(<np.ndarray>step_table, 1)
        self._learning_rates = learning_rates
        self._memory = [program, regions, inputs, order, step_table, losses, predictions]
        self._interrupts.end = 0
        if batch_range.seconds is not None:
            nanoseconds = int(batch_range.seconds * 1e9)
            self._interrupts.end = fastnn_now() + nanoseconds if nanoseconds else 0
        run.interrupt_callback, run.context = _poll_interrupts, &self._interrupts
        self._rewind()

    cdef list _set_regions(self, arena, workspace):
        """Set the memory of the plan; return the arrays, which must stay alive."""
        parameters, buffers = arena.parameters, arena.buffers
        regions = [parameters, buffers, workspace]
        self._run.base[FASTNN_WORKSPACE] = _writeable(workspace, "workspace")
        if not self._run.train:
            self._run.base[FASTNN_PARAMETERS] = _address(parameters)
            self._run.base[FASTNN_BUFFERS] = _address(buffers)
            return regions
        gradients, slots = arena.gradients, arena.slots
        self._run.base[FASTNN_PARAMETERS] = _writeable(parameters, "parameters")
        self._run.base[FASTNN_GRADIENTS] = _writeable(gradients, "gradients")
        self._run.base[FASTNN_SLOTS] = _writeable(slots, "slots")
        self._run.base[FASTNN_BUFFERS] = _writeable(buffers, "buffers")
        return regions + [gradients, slots]

    cdef _rewind(self):
        """Go to the first batch, at the state's step."""
        cdef fastnn_run *run = &self._run
        run.batch = self._start
        run.seed, run.step = self._state.seed, self._state.step
        run.first_step = run.step
        self._interrupts.failed, self._error = 0, None

    def repeat(self):
        """Run all batches again from the first one; return what `outcome` does."""
        self._rewind()
        self.execute()
        return self.outcome()

    cpdef execute(self):
        """Run the batches, and advance the state."""
        cdef fastnn_run *run = &self._run
        with nogil:
            self._status = fastnn_execute(run)
        if self._interrupts.failed:  # Python must not run on while an error is set
            self._error = _pending_error()
        if run.step > run.first_step:  # not in inference, while another thread may advance it
            self._state.step = run.step
            self._state.learning_rate = self._learning_rates.item(run.step - run.first_step - 1)

    def outcome(self):
        """Return the number of the next batch and whether it diverged; raise what ended the run."""
        if self._error is not None:
            raise self._error
        if self._status == FASTNN_DIVERGED:
            return self._run.batch, True
        if self._status == FASTNN_BAD_CODE:
            _raise_bad_code()
        if self._status == FASTNN_CUSTOM_RAISED:
            _raise_function_error()
        if self._status == FASTNN_BAD_GEOMETRY:
            raise ArgumentError("sizes of a layer's windows do not fit its input, or are too large")
        if self._status != FASTNN_OK:
            raise BackendError(f"the native executor refused a plan (status {<int>self._status})")
        return self._run.batch, False


cdef extern from *:
    """
    static int fastnn_pending_error(void) { return -1; }
    """
    int _raise_pending "fastnn_pending_error"() except -1


cdef object _pending_error():
    """Take the error that is set, and clear it."""
    try:
        _raise_pending()
    except BaseException as error:
        return error


cdef class Pool:
    """Threads that execute one `Run` after another, each on a core of its own.

    Parameters
    ----------
    take : callable
        Called by each thread with the run that it has executed, or None at first; returns the next
        run, or None to end the thread. If it raises, all threads end.
    """

    cdef fastnn_pool _pool
    cdef object _take, _error

    def __init__(self, take):
        self._take = take

    def work(self, int threads):
        """Run up to `threads` threads, the calling one among them; return their number."""
        cdef int ran
        with nogil:
            ran = fastnn_pool_run(threads, _run_pool_thread, <void *>self)
        if self._error is not None:
            raise self._error
        return ran

    def stop(self):
        """Abort all runs, without the batch under way."""
        fastnn_pool_stop(&self._pool)

    @property
    def stopping(self):
        """Return whether `stop` was called, or a thread raised."""
        return bool(fastnn_pool_is_stopping(&self._pool))

    cdef int _execute_runs(self, bint ignores_signals) except -1:
        cdef Run run = self._take(None)
        while run is not None:
            run._interrupts.pool, run._interrupts.ignores_signals = &self._pool, ignores_signals
            run.execute()
            run = self._take(run)
        return 0


cdef void _run_pool_thread(void *context, int thread) noexcept with gil:
    """Run the main loop of a pool thread; it keeps one PyThreadState."""
    pool = <Pool>context
    try:
        pool._execute_runs(thread > 0)
    except BaseException as error:
        pool._error = error
        pool.stop()
