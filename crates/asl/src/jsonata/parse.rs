//! From tokens to nodes, by the binding powers of the operators (Pratt, "Top down operator precedence").

use super::ast::{Kind, Lambda, Node, Operator, Pairs, Raw, Term};
use super::error::{ExpressionError, Fault, quoted};
use super::resolve;
use super::signature::Signature;
use super::token::{Misread, Token, TokenKind, Tokens};
use std::sync::Arc;

/// How deep an expression may nest. It bounds the recursion of whatever walks an expression, on any stack; what nests
/// deeper would not be evaluated within the default budget either.
const MAX_HEIGHT: usize = 160;

/// A parsed expression.
#[derive(Debug)]
pub(super) struct Ast {
    pub(super) root: Node,
    /// For each `%`, the one whose binding it reads.
    pub(super) labels: Vec<usize>,
}

pub(super) fn parse(text: &str) -> Result<Ast, ExpressionError> {
    read(text).map_err(|(fault, offset)| {
        let message = match fault {
            Fault::Coded(detail) => detail.to_string(),
            other => other.to_string(),
        };
        ExpressionError { message, offset }
    })
}

/// The code of what is wrong, which no message shows.
#[cfg(test)]
pub(super) fn parse_with_code(text: &str) -> Result<(), &'static str> {
    match read(text) {
        Err((Fault::Coded(detail), _)) => Err(detail.code),
        _ => Ok(()),
    }
}

fn read(text: &str) -> Result<Ast, Misread> {
    let mut tokens = Tokens::new(text);
    let token = tokens.next(false)?;
    let mut parser = Parser { tokens, token, depth: 0 };
    let root = parser.expression(0)?;
    if !matches!(parser.token.kind, TokenKind::End) {
        return Err((Fault::new("S0201").of(&parser.token.kind.plain()), parser.token.offset));
    }
    resolve::resolve(root)
}

struct Parser<'t> {
    tokens: Tokens<'t>,
    /// The one that is looked at.
    token: Token,
    depth: usize,
}

fn binding_power(kind: &TokenKind) -> u8 {
    let TokenKind::Operator(symbol) = kind else { return 0 };
    match *symbol {
        "[" | "(" | "@" | "#" => 80,
        "." => 75,
        "{" => 70,
        "*" | "/" | "%" => 60,
        "+" | "-" | "&" => 50,
        "=" | "!=" | "<" | ">" | "<=" | ">=" | "^" | "~>" | "in" => 40,
        "and" => 30,
        "or" => 25,
        "?" => 20,
        ":=" => 10,
        _ => 0,
    }
}

fn too_deep(offset: usize) -> Misread {
    (Fault::message("", format!("The expression nests deeper than {MAX_HEIGHT} levels")), offset)
}

impl Parser<'_> {
    /// Moves on; gives the token that was looked at.
    fn advance(&mut self, operator: bool) -> Result<Token, Misread> {
        let next = self.tokens.next(operator)?;
        Ok(std::mem::replace(&mut self.token, next))
    }

    /// Moves over this symbol. `operator` says whether an operator may follow.
    fn expect(&mut self, symbol: &str, operator: bool) -> Result<(), Misread> {
        if self.token.kind.is(symbol) {
            self.advance(operator)?;
            return Ok(());
        }
        let code = if matches!(self.token.kind, TokenKind::End) { "S0203" } else { "S0202" };
        let mut fault = Fault::value(code, quoted(symbol));
        if let Fault::Coded(detail) = &mut fault {
            detail.token = Some(self.token.kind.plain());
        }
        Err((fault, self.token.offset))
    }

    fn accept(&mut self, symbol: &str) -> Result<bool, Misread> {
        let found = self.token.kind.is(symbol);
        if found {
            self.advance(false)?;
        }
        Ok(found)
    }

    fn expression(&mut self, power: u8) -> Result<Node, Misread> {
        self.depth += 1;
        if self.depth > MAX_HEIGHT {
            return Err(too_deep(self.token.offset));
        }
        let token = self.advance(true)?;
        let mut left = self.prefix(token)?;
        while power < binding_power(&self.token.kind) {
            let token = self.advance(false)?;
            let TokenKind::Operator(symbol) = token.kind else { break };
            left = self.infix(symbol, left, token.offset)?;
            if left.height > MAX_HEIGHT {
                return Err(too_deep(token.offset));
            }
        }
        self.depth -= 1;
        Ok(left)
    }

    /// What starts with this token, which stands behind the parser.
    fn prefix(&mut self, token: Token) -> Result<Node, Misread> {
        let kind = match token.kind {
            TokenKind::Name(name) => Kind::Name(name),
            TokenKind::Variable(name) => Kind::Variable(name),
            TokenKind::Text(text) => Kind::Text(text),
            TokenKind::Number(number) => Kind::Number(number),
            TokenKind::Constant(constant) => Kind::Constant(constant),
            TokenKind::Pattern(pattern) => Kind::Pattern(pattern),
            TokenKind::End => Kind::Raw(Raw::End),
            TokenKind::Operator(symbol) => match symbol {
                "and" | "or" | "in" => Kind::Name(symbol.to_owned()),
                "-" => Kind::Negate(Box::new(self.expression(70)?)),
                "*" => Kind::Wildcard,
                "**" => Kind::Descendants,
                "%" => Kind::Parent(0),
                "(" => self.block()?,
                "[" => self.array()?,
                "{" => Kind::Object(self.pairs()?),
                "|" => self.transform()?,
                other => return Err((Fault::new("S0211").of(other), token.offset)),
            },
        };
        Ok(Node::new(kind, token.offset))
    }

    fn block(&mut self) -> Result<Kind, Misread> {
        let mut expressions = Vec::new();
        while !self.token.kind.is(")") {
            expressions.push(self.expression(0)?);
            if !self.accept(";")? {
                break;
            }
        }
        self.expect(")", true)?;
        Ok(Kind::Block(expressions))
    }

    fn array(&mut self) -> Result<Kind, Misread> {
        let mut items = Vec::new();
        if !self.token.kind.is("]") {
            loop {
                let item = self.expression(0)?;
                let offset = self.token.offset;
                items.push(if self.accept("..")? {
                    let end = self.expression(0)?;
                    Node::new(Kind::Binary(Operator::Range, Box::new(item), Box::new(end)), offset)
                } else {
                    item
                });
                if !self.accept(",")? {
                    break;
                }
            }
        }
        self.expect("]", true)?;
        Ok(Kind::Array(items))
    }

    fn pairs(&mut self) -> Result<Pairs, Misread> {
        let mut pairs = Vec::new();
        if !self.token.kind.is("}") {
            loop {
                let key = self.expression(0)?;
                self.expect(":", false)?;
                pairs.push((key, self.expression(0)?));
                if !self.accept(",")? {
                    break;
                }
            }
        }
        self.expect("}", true)?;
        Ok(pairs)
    }

    fn transform(&mut self) -> Result<Kind, Misread> {
        let pattern = Box::new(self.expression(0)?);
        self.expect("|", false)?;
        let update = Box::new(self.expression(0)?);
        let delete = if self.accept(",")? { Some(Box::new(self.expression(0)?)) } else { None };
        self.expect("|", false)?;
        Ok(Kind::Transform { pattern, update, delete })
    }

    fn infix(&mut self, symbol: &'static str, left: Node, offset: usize) -> Result<Node, Misread> {
        let kind = match symbol {
            "(" => return self.call(left, offset),
            "[" => return self.filter(left, offset),
            "." => Kind::Raw(Raw::Dot(Box::new(left), Box::new(self.expression(75)?))),
            "{" => Kind::Raw(Raw::Group(Box::new(left), self.pairs()?)),
            "^" => Kind::Raw(Raw::Order(Box::new(left), self.terms()?)),
            "@" => Kind::Raw(Raw::Focus(Box::new(left), self.bound_variable("@")?)),
            "#" => Kind::Raw(Raw::Index(Box::new(left), self.bound_variable("#")?)),
            "~>" => Kind::Apply(Box::new(left), Box::new(self.expression(40)?)),
            ":=" => match left.kind {
                Kind::Variable(name) => Kind::Bind(name, Box::new(self.expression(9)?)),
                _ => return Err((Fault::new("S0212"), left.offset)),
            },
            "?" => {
                let then = Box::new(self.expression(0)?);
                let otherwise = if self.accept(":")? { Some(Box::new(self.expression(0)?)) } else { None };
                Kind::Condition { condition: Box::new(left), then, otherwise }
            }
            other => {
                let right = self.expression(binding_power(&TokenKind::Operator(symbol)))?;
                match Operator::of(other) {
                    Some(operator) => Kind::Binary(operator, Box::new(left), Box::new(right)),
                    None => return Err((Fault::new("S0204").of(other), offset)),
                }
            }
        };
        Ok(Node::new(kind, offset))
    }

    fn bound_variable(&mut self, symbol: &str) -> Result<String, Misread> {
        let right = self.expression(80)?;
        match right.kind {
            Kind::Variable(name) => Ok(name),
            _ => Err((Fault::new("S0214").of(symbol), right.offset)),
        }
    }

    fn filter(&mut self, mut left: Node, offset: usize) -> Result<Node, Misread> {
        if self.token.kind.is("]") {
            let mut step = &mut left;
            while matches!(step.kind, Kind::Raw(Raw::Filter(..))) {
                let Kind::Raw(Raw::Filter(inner, _)) = &mut step.kind else { break };
                step = inner;
            }
            step.keep_array = true;
            self.expect("]", false)?;
            return Ok(left);
        }
        let predicate = self.expression(0)?;
        self.expect("]", true)?;
        Ok(Node::new(Kind::Raw(Raw::Filter(Box::new(left), Box::new(predicate))), offset))
    }

    fn terms(&mut self) -> Result<Vec<Term>, Misread> {
        self.expect("(", false)?;
        let mut terms = Vec::new();
        loop {
            let descending = !self.accept("<")? && self.accept(">")?;
            terms.push(Term { descending, expression: self.expression(0)? });
            if !self.accept(",")? {
                break;
            }
        }
        self.expect(")", false)?;
        Ok(terms)
    }

    fn call(&mut self, left: Node, offset: usize) -> Result<Node, Misread> {
        let mut arguments = Vec::new();
        if !self.token.kind.is(")") {
            loop {
                arguments.push(if self.accept("?")? { None } else { Some(self.expression(0)?) });
                if !self.accept(",")? {
                    break;
                }
            }
        }
        self.expect(")", true)?;
        if matches!(&left.kind, Kind::Name(name) if name == "function" || name == "λ") {
            return self.lambda(arguments, offset);
        }
        let procedure = Box::new(left);
        let kind = if arguments.iter().all(Option::is_some) {
            Kind::Call { procedure, arguments: arguments.into_iter().flatten().collect() }
        } else {
            Kind::Partial { procedure, arguments }
        };
        Ok(Node::new(kind, offset))
    }

    fn lambda(&mut self, arguments: Vec<Option<Node>>, offset: usize) -> Result<Node, Misread> {
        let mut parameters = Vec::with_capacity(arguments.len());
        for (index, argument) in arguments.into_iter().enumerate() {
            match argument.map(|argument| argument.kind) {
                Some(Kind::Variable(name)) => parameters.push(name),
                _ => return Err((Fault::value("S0208", (index + 1).to_string()), offset)),
            }
        }
        let signature = if self.token.kind.is("<") { Some(Arc::new(self.signature()?)) } else { None };
        self.expect("{", false)?;
        let body = Box::new(self.expression(0)?);
        self.expect("}", false)?;
        Ok(Node::new(Kind::Lambda(Lambda { parameters, signature, body }), offset))
    }

    fn signature(&mut self) -> Result<Signature, Misread> {
        let offset = self.token.offset;
        let mut depth = 1;
        let mut text = "<".to_owned();
        while depth > 0 && !self.token.kind.is("{") && !matches!(self.token.kind, TokenKind::End) {
            self.advance(false)?;
            if self.token.kind.is(">") {
                depth -= 1;
            } else if self.token.kind.is("<") {
                depth += 1;
            }
            text += &self.token.kind.plain();
        }
        self.expect(">", false)?;
        Signature::parse(&text).map_err(|fault| (fault, offset))
    }
}
