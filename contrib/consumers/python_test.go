package consumers

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// rewrite reads each line with Python's json, refuses NaN, Infinity and a key that comes
// twice, and writes what it understood.
const rewrite = `
import json, sys
def refuse(word): raise ValueError(word)
def once(pairs):
    if len(dict(pairs)) != len(pairs): raise ValueError("a key comes twice")
    return dict(pairs)
for line in sys.stdin:
    print(json.dumps(json.loads(line, parse_constant=refuse, object_pairs_hook=once), ensure_ascii=False))
`

// Python's json understands every line of every log as it is meant.
func TestPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed")
	}
	for log, lines := range logLines(t) {
		c := exec.Command(python, "-X", "utf8", "-c", rewrite)
		var said bytes.Buffer
		c.Stdin, c.Stderr = strings.NewReader(lines), &said
		out, err := c.Output()
		if err != nil {
			t.Errorf("%s.log: %v\n%s", log, err, said.String())
			continue
		}
		if err := sameJSON(lines, string(out)); err != nil {
			t.Errorf("%s.log: %v", log, err)
		}
	}
}

// sameJSON is an error where two texts differ in more than in how they are written. A whole
// number stays one, and other numbers have the same value.
func sameJSON(a, b string) error {
	x, y := json.NewDecoder(strings.NewReader(a)), json.NewDecoder(strings.NewReader(b))
	x.UseNumber()
	y.UseNumber()
	for {
		p, perr := x.Token()
		q, qerr := y.Token()
		if perr == io.EOF && qerr == io.EOF {
			return nil
		}
		if err := errors.Join(perr, qerr); err != nil {
			return err
		}
		if p != q && !(fraction(p) && fraction(q) && double(p) == double(q)) {
			return errors.New("at " + strconv.FormatInt(x.InputOffset(), 10) + " another value is read")
		}
	}
}

func fraction(t json.Token) bool {
	n, ok := t.(json.Number)
	return ok && strings.ContainsAny(n.String(), ".eE")
}

func double(t json.Token) float64 {
	f, _ := t.(json.Number).Float64()
	return f
}

func TestSameJSON(t *testing.T) {
	if err := sameJSON(`{"a":1.0,"b":[1e-7]}`+"\n{}", `{"a": 1.00, "b": [0.0000001]}{}`); err != nil {
		t.Error(err)
	}
	for _, other := range []string{`{"a":1}`, `{"a":1.1}`, `{"b":1.0}`, `{"a":"1.0"}`, `{"a":1.0}{}`, `{"a":1.0`} {
		if sameJSON(`{"a":1.0}`, other) == nil {
			t.Errorf("%s is the same", other)
		}
	}
}
