// Types of the parts of marked that the page uses.

export interface Token {
  readonly type: string;
  readonly text?: string;
  readonly depth?: number;
  readonly href?: string;
  readonly ordered?: boolean;
  readonly tokens?: Token[];
  readonly items?: Token[];
  readonly header?: TableCell[];
  readonly rows?: TableCell[][];
}
export interface TableCell {
  readonly text: string;
  readonly tokens: Token[];
}
export declare function lexer(markdown: string): Token[];
