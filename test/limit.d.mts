export declare const limitMs: number;
