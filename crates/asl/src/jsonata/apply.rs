//! Functions and their calls.

use super::ast::{Kind, Lambda, Node};
use super::error::Fault;
use super::evaluate::{Evaluator, Outcome};
use super::native::Native;
use super::pattern::Pattern;
use super::scope::Frame;
use super::value::{Key, Text, Value};
use std::rc::Rc;

pub(super) enum Function<'a> {
    Lambda {
        lambda: &'a Lambda,
        input: Value<'a>,
        frame: Frame<'a>,
    },
    /// A call that stands for its result until it is asked for.
    Tail {
        call: &'a Node,
        input: Value<'a>,
        frame: Frame<'a>,
    },
    Native(&'static Native),
    /// Gives the first match in a text.
    Pattern(&'a Pattern),
    /// Gives the next one.
    Next {
        pattern: &'a Pattern,
        text: Text<'a>,
        from: usize,
    },
    Transform {
        node: &'a Node,
        frame: Frame<'a>,
    },
    Partial {
        function: Rc<Function<'a>>,
        /// `None` for what is still to come.
        arguments: Vec<Option<Value<'a>>>,
    },
    /// The first one's result is for the second.
    Chain(Rc<Function<'a>>, Rc<Function<'a>>),
}

impl<'a> Function<'a> {
    /// How many arguments it has names for.
    pub(super) fn arity(&self) -> usize {
        match self {
            Function::Lambda { lambda, .. } => lambda.parameters.len(),
            Function::Native(native) => native.arity,
            Function::Pattern(_) => 2,
            Function::Partial { arguments, .. } => {
                arguments.iter().filter(|argument| argument.is_none()).count()
            }
            Function::Tail { .. } | Function::Next { .. } => 0,
            Function::Transform { .. } | Function::Chain(..) => 1,
        }
    }

    /// Takes out what may nest in it.
    pub(super) fn empty_into(&mut self, out: &mut Vec<Value<'a>>) {
        match self {
            Function::Lambda { input, frame, .. } | Function::Tail { input, frame, .. } => {
                out.push(std::mem::replace(input, Value::Undefined));
                std::mem::replace(frame, Frame::new(Vec::new(), None)).empty_into(out);
            }
            Function::Transform { frame, .. } => {
                std::mem::replace(frame, Frame::new(Vec::new(), None)).empty_into(out);
            }
            Function::Partial { function, arguments } => {
                out.extend(std::mem::take(arguments).into_iter().flatten());
                out.push(Value::Function(function.clone()));
            }
            Function::Chain(first, second) => {
                out.extend([Value::Function(first.clone()), Value::Function(second.clone())]);
            }
            Function::Native(_) | Function::Pattern(_) | Function::Next { .. } => {}
        }
    }
}

impl<'a> Evaluator<'a, '_> {
    pub(super) fn call(
        &mut self,
        procedure: &'a Node,
        arguments: &'a [Node],
        first: Option<Value<'a>>,
        input: &Value<'a>,
        frame: &Frame<'a>,
    ) -> Outcome<'a> {
        let function = self.procedure(procedure, input, frame, "T1005", "T1006")?;
        let mut values = Vec::with_capacity(arguments.len() + 1);
        values.extend(first);
        for argument in arguments {
            values.push(self.evaluate(argument, input, frame)?);
        }
        self.apply(&function, values, input).map_err(|fault| fault.of(name(procedure)))
    }

    /// The function to call. `close` is the fault where a `$` was forgotten.
    fn procedure(
        &mut self,
        procedure: &'a Node,
        input: &Value<'a>,
        frame: &Frame<'a>,
        close: &'static str,
        otherwise: &'static str,
    ) -> Result<Rc<Function<'a>>, Fault> {
        match self.evaluate(procedure, input, frame)? {
            Value::Function(function) => Ok(function),
            Value::Undefined if is_meant(procedure, frame) => Err(Fault::new(close).of(name(procedure))),
            _ => Err(Fault::new(otherwise).of(name(procedure))),
        }
    }

    /// Calls a function, and the calls in its tail one after the other.
    pub(super) fn apply(
        &mut self,
        function: &Rc<Function<'a>>,
        arguments: Vec<Value<'a>>,
        input: &Value<'a>,
    ) -> Outcome<'a> {
        self.spend(1)?;
        let mut result = self.apply_once(function, arguments, input)?;
        while let Value::Function(function) = &result {
            let Function::Tail { call, input: inner, frame } = &**function else { break };
            let Kind::Call { procedure, arguments } = &call.kind else { break };
            let (inner, frame) = (inner.clone(), frame.clone());
            let next = self.procedure(procedure, &inner, &frame, "T1006", "T1006")?;
            let mut values = Vec::with_capacity(arguments.len());
            for argument in arguments {
                values.push(self.evaluate(argument, &inner, &frame)?);
            }
            result = self.apply_once(&next, values, input).map_err(|fault| fault.of(name(procedure)))?;
        }
        if result.depth() > super::evaluate::MAX_DEPTH {
            return Err(Fault::Depth);
        }
        Ok(result)
    }

    fn apply_once(
        &mut self,
        function: &Rc<Function<'a>>,
        arguments: Vec<Value<'a>>,
        input: &Value<'a>,
    ) -> Outcome<'a> {
        match &**function {
            Function::Lambda { lambda, input: inner, frame } => {
                let arguments = match &lambda.signature {
                    Some(signature) => signature.validate(arguments, input)?,
                    None => arguments,
                };
                self.lambda(lambda, arguments, inner, frame)
            }
            Function::Native(native) => {
                let arguments = native.signature.validate(arguments, input)?;
                (native.run)(self, arguments.into())
            }
            Function::Pattern(pattern) => match arguments.first() {
                Some(Value::Text(text)) => self.matched(pattern, text.clone(), 0),
                _ => Ok(Value::Undefined),
            },
            Function::Next { pattern, text, from } => self.next_match(pattern, text, *from),
            Function::Transform { node, frame } => {
                self.transform(node, arguments.into_iter().next().unwrap_or(Value::Undefined), frame)
            }
            Function::Partial { function, arguments: bound } => {
                let mut given = arguments.into_iter();
                let filled = bound.iter().map(|argument| match argument {
                    Some(value) => value.clone(),
                    None => given.next().unwrap_or(Value::Undefined),
                });
                let filled = filled.collect();
                self.enter()?;
                let result = self.apply_filled(function, filled, input);
                self.leave();
                result
            }
            Function::Chain(first, second) => {
                self.enter()?;
                let value = self.apply(first, arguments.into_iter().take(1).collect(), input)?;
                let result = self.apply(second, vec![value], input);
                self.leave();
                result
            }
            Function::Tail { .. } => Ok(Value::Function(function.clone())),
        }
    }

    /// As the reference implementation, without looking at the signature.
    fn apply_filled(
        &mut self,
        function: &Rc<Function<'a>>,
        arguments: Vec<Value<'a>>,
        input: &Value<'a>,
    ) -> Outcome<'a> {
        match &**function {
            Function::Lambda { lambda, input, frame } => self.lambda(lambda, arguments, input, frame),
            Function::Native(native) => (native.run)(self, arguments.into()),
            _ => self.apply(function, arguments, input),
        }
    }

    fn lambda(
        &mut self,
        lambda: &'a Lambda,
        arguments: Vec<Value<'a>>,
        input: &Value<'a>,
        frame: &Frame<'a>,
    ) -> Outcome<'a> {
        let mut arguments = arguments.into_iter();
        let bindings = lambda
            .parameters
            .iter()
            .map(|parameter| (Key::Name(parameter.as_str()), arguments.next().unwrap_or(Value::Undefined)));
        let inner = Frame::new(bindings.collect(), Some(frame));
        self.evaluate(&lambda.body, input, &inner)
    }

    pub(super) fn partial(
        &mut self,
        procedure: &'a Node,
        arguments: &'a [Option<Node>],
        input: &Value<'a>,
        frame: &Frame<'a>,
    ) -> Outcome<'a> {
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            values.push(match argument {
                Some(argument) => Some(self.evaluate(argument, input, frame)?),
                None => None,
            });
        }
        let function = self.procedure(procedure, input, frame, "T1007", "T1008")?;
        values.resize(values.len().max(function.arity()), Some(Value::Undefined));
        Ok(Value::Function(Rc::new(Function::Partial { function, arguments: values })))
    }

    /// `~>`
    pub(super) fn chain(
        &mut self,
        left: &'a Node,
        right: &'a Node,
        input: &Value<'a>,
        frame: &Frame<'a>,
    ) -> Outcome<'a> {
        let value = self.evaluate(left, input, frame)?;
        if let Kind::Call { procedure, arguments } = &right.kind {
            // As in the reference implementation, filters behind the call do not count.
            return self.call(procedure, arguments, Some(value), input, frame);
        }
        let Value::Function(function) = self.evaluate(right, input, frame)? else {
            return Err(Fault::new("T2006"));
        };
        match value {
            Value::Function(first) => Ok(Value::Function(Rc::new(Function::Chain(first, function)))),
            value => self.apply(&function, vec![value], &Value::Null),
        }
    }
}

/// As errors name it.
fn name(procedure: &Node) -> &str {
    match &procedure.kind {
        Kind::Variable(name) => name,
        Kind::Path { steps, .. } => match steps.first().map(|step| &step.kind) {
            Some(Kind::Name(name) | Kind::Variable(name)) => name,
            _ => "",
        },
        _ => "",
    }
}

/// Whether there is a function of that name, but for the `$`.
fn is_meant<'a>(procedure: &'a Node, frame: &Frame<'a>) -> bool {
    let is_path = matches!(procedure.kind, Kind::Path { .. });
    let name = name(procedure);
    is_path && (frame.find(Key::Name(name)).is_some() || Native::find(name).is_some())
}
