import { mount } from "../../ui/mount";
import { IndexPage } from "./IndexPage";
import "./index.css";

mount(IndexPage);
