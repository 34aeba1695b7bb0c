/** Ids of members and instructors, for the fields they are typed in: printable ASCII without blanks, `"`, `\`, `<` and `>`. */
export const ID_MAX = 255;
export const ID = "[!#-;=?-\\[\\]-~]+";
