//! Which variables a path, a call or an expression reads: found in its text, so that each has its place.

/// Functions that an expression may pass on by name, as in `$map($items, $uppercase)`: JSONata's and those that Step
/// Functions adds. A name that is called is no variable anyway.
const FUNCTIONS: &str = " abs append assert average base64decode base64encode boolean ceil clone contains count \
    decodeUrl decodeUrlComponent distinct each encodeUrl encodeUrlComponent error eval exists filter floor foldLeft \
    formatBase formatInteger formatNumber fromMillis hash join keys length lookup lowercase map match max merge millis \
    min not now number pad parse parseInteger partition power random range reduce replace reverse round shuffle sift \
    single sort split spread sqrt string substring substringAfter substringBefore sum toMillis trim type typeOf \
    uppercase uuid zip ";

/// Something that begins with `$`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference<'t> {
    pub(super) what: Referred<'t>,
    /// Of its `$`, in bytes from the beginning of the text.
    pub(super) offset: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Referred<'t> {
    /// `$name`, a variable that the text does not bind itself.
    Variable(&'t str),
    /// `$states.member`
    State(&'t str),
    /// `$$` in JSONata.
    Root,
}

/// The variables that a path or a call of an intrinsic function reads.
pub(super) fn of_path(text: &str) -> Vec<Reference<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut before = ' ';
    while let Some(character) = text[at..].chars().next() {
        let rest = &text[at + character.len_utf8()..];
        let mut taken = character.len_utf8();
        match character {
            '\'' | '"' => taken += quoted(rest, character),
            '$' if rest.starts_with('$') => taken += 1,
            '$' if !is_name(before) => {
                let name = name(rest);
                if !name.is_empty() {
                    found.push(Reference { what: Referred::Variable(name), offset: at });
                }
                taken += name.len();
            }
            _ => {}
        }
        at += taken;
        before = character;
    }
    found
}

/// What an expression reads. Certain rather than complete: a name that it binds anywhere is left out everywhere.
pub(super) fn of_expression(text: &str) -> Vec<Reference<'_>> {
    let mut scan = Scan { text, at: 0, before: ' ', found: Vec::new(), bound: Vec::new() };
    while scan.step() {}
    let Scan { mut found, bound, .. } = scan;
    found.retain(|reference| match reference.what {
        Referred::Variable(name) => !bound.contains(&name) && !FUNCTIONS.contains(&format!(" {name} ")),
        Referred::State(_) | Referred::Root => true,
    });
    found
}

struct Scan<'t> {
    text: &'t str,
    at: usize,
    /// The last character that is not blank.
    before: char,
    found: Vec<Reference<'t>>,
    bound: Vec<&'t str>,
}

impl<'t> Scan<'t> {
    fn step(&mut self) -> bool {
        let here = &self.text[self.at..];
        let Some(character) = here.chars().next() else { return false };
        let rest = &here[character.len_utf8()..];
        let taken = match character {
            '"' | '\'' | '`' => quoted(rest, character),
            '/' if rest.starts_with('*') => rest.find("*/").map_or(rest.len(), |end| end + 2),
            // A regular expression, where nothing stands before that could be divided.
            '/' if "(,[:=>".contains(self.before) => quoted(rest, '/'),
            '$' => self.dollar(rest),
            _ if is_name(character) => self.word(here) - character.len_utf8(),
            _ => 0,
        };
        if !character.is_whitespace() {
            self.before = character;
        }
        self.at += character.len_utf8() + taken;
        true
    }

    /// `rest` is behind the `$`; gives how much of it belongs to that.
    fn dollar(&mut self, rest: &'t str) -> usize {
        let offset = self.at;
        let name = name(rest);
        let behind = rest[name.len()..].trim_start();
        if name.is_empty() {
            if !rest.starts_with('$') {
                return 0;
            }
            self.found.push(Reference { what: Referred::Root, offset });
            return 1;
        }
        if name == "states" {
            let member = behind.strip_prefix('.').map(|member| self::name(member.trim_start()));
            if let Some(member) = member.filter(|member| !member.is_empty()) {
                self.found.push(Reference { what: Referred::State(member), offset });
            }
        } else if behind.starts_with(":=") || "@#".contains(self.before) {
            self.bound.push(name);
        } else if !behind.starts_with('(') {
            self.found.push(Reference { what: Referred::Variable(name), offset });
        }
        name.len()
    }

    /// A word that is no variable. The parameters of a function are bound in it.
    fn word(&mut self, here: &'t str) -> usize {
        let word = name(here);
        let behind = here[word.len()..].trim_start();
        if (word == "function" || word == "λ")
            && let Some(parameters) = behind.strip_prefix('(')
        {
            let parameters = parameters.split(')').next().unwrap_or_default();
            self.bound.extend(parameters.split('$').skip(1).map(name));
        }
        word.len()
    }
}

/// What belongs to a quoted part, behind its first quote.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in rest.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quote != '`' => escaped = true,
            _ if character == quote => return at + quote.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

fn name(text: &str) -> &str {
    &text[..text.find(|character| !is_name(character)).unwrap_or(text.len())]
}

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(references: Vec<Reference<'_>>) -> String {
        let shown = references.into_iter().map(|reference| match reference.what {
            Referred::Variable(name) => format!("{name}@{}", reference.offset),
            Referred::State(member) => format!("states.{member}@{}", reference.offset),
            Referred::Root => format!("$$@{}", reference.offset),
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn variables_of_paths() {
        for (text, expected) in [
            ("$.a.b", ""),
            ("$$.Execution.Id", ""),
            ("$total.a", "total@0"),
            ("$.a['$no']", ""),
            ("States.Format('{} $no', $.a, $yes)", "yes@29"),
            ("States.MathAdd($a,$b)", "a@15 b@18"),
            ("$.list[?(@.n == $.n)]", ""),
        ] {
            assert_eq!(shown(of_path(text)), expected, "{text}");
        }
    }

    #[test]
    fn variables_of_expressions() {
        for (text, expected) in [
            ("$states.input.a", "states.input@0"),
            ("$states . result", "states.result@0"),
            ("$states", ""),
            ("$$.a", "$$@0"),
            ("$.a", ""),
            ("$total + 1", "total@0"),
            ("($x := 1; $x + $y)", "y@15"),
            ("$map($items, function($v, $i) { $v + $i + $k })", "items@5 k@42"),
            ("$map($items, $uppercase)", "items@5"),
            ("'$no' & \"$no\" & `$no` & $yes", "yes@24"),
            ("$match($a, /$no'/) & $b", "a@7 b@21"),
            ("$a / $b / $c", "a@0 b@5 c@10"),
            ("/* $no */ $yes", "yes@10"),
            ("$states.input@$l.b#$i[$l]", "states.input@0"),
        ] {
            assert_eq!(shown(of_expression(text)), expected, "{text}");
        }
    }
}
