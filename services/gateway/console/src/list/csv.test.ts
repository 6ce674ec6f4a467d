import { expect, test } from "vitest";
import { csv } from "./csv";

test("a cell is a value, whatever a spreadsheet would like it to be", () => {
  const rows = [["=1+1", "+49 30", "-x", "@sum", -5, 'say "hi"', "a,b", " a", null, ["x"], "two\nlines"]];
  expect(csv(["a", "b"], rows)).toBe(
    'a,b\r\n\'=1+1,\'+49 30,\'-x,\'@sum,-5,"say ""hi""","a,b"," a",,"[""x""]","two\nlines"\r\n',
  );
});
