package paymo

import (
	"context"
	"fmt"
	"testing"
)

func TestAuthDoesNotTellTheKey(t *testing.T) {
	t.Parallel()
	a := newAuth(func(context.Context) (string, error) { return "hunter2", nil }, SchemeAuto, "")
	credential, err := a.current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if text := fmt.Sprintf(verb+verb+verb, a, credential, &credential); text != "[key][key][key]" {
			t.Errorf("%s prints %s", verb, text)
		}
	}
}
