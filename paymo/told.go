package paymo

import (
	"bytes"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// Told is the object that a webhook tells of, as a page of one row: it is the same that
// Paymo serves, but for a few of its relations that come along (the reference's
// "Additional includes in webhook notification body"), which are left out here.
func (c *Client) Told(resource *catalog.Resource, body []byte) (*Page, error) {
	object := map[string]jsontext.Value{}
	if err := json.Unmarshal(body, &object, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
		return nil, fmt.Errorf("read what Paymo tells of %s: it is no object", resource.Table)
	}
	for _, include := range append([]string{"progress_status"}, resource.Includes...) {
		if _, own := resource.Column(include); !own {
			delete(object, include)
		}
	}
	text, err := json.Marshal([]map[string]jsontext.Value{object}, jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return nil, fmt.Errorf("read what Paymo tells of %s: %w", resource.Table, err)
	}
	decoded, err := c.decoders[resource.Table].decode(bytes.NewReader(text), 1)
	if err != nil {
		return nil, fmt.Errorf("read what Paymo tells of %s: %w", resource.Table, err)
	}
	return newPage(decoded), nil
}
